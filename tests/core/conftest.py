"""Two sessions to tell events to: one by the provider's chart, one by a chart that branches and returns."""

import pytest

from memory import MemorySession
from statekeeper.core.statechart import Statechart
from statekeeper.resources import default_chart

REVIEW = Statechart.compile(
    {
        "id": "review",
        "initial": "new",
        "states": {
            "new": {"on": {"open": "opened"}},
            "opened": {"on": {"read": "being-read", "withdraw": "withdrawn"}},
            "being-read": {"on": {"ask": "opened", "weigh": "weighed", "note": "being-read", "renew": "new"}},
            "weighed": {"on": {"accept": "accepted", "note": "weighed"}},
            "accepted": {"type": "final"},
            "withdrawn": {"type": "final"},
        },
    }
)


@pytest.fixture
def session():
    return MemorySession(default_chart())


@pytest.fixture
def review():
    return MemorySession(REVIEW)
