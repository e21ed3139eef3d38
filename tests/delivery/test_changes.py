"""What the trail is told of an endpoint: what differs, and nothing that is secret."""

import pytest

from statekeeper.core.health import State
from statekeeper.delivery.changes import differences, told, told_changes

BEFORE = {"url": "https://crm.example/?key=hidden", "states": ["error", "completed"], "concurrency": 8, "rate": None}


def test_only_what_differs_is_told_as_it_was_and_as_it_is():
    changes = differences(BEFORE, BEFORE | {"concurrency": 2, "rate": 0.5})
    assert told_changes(changes) == {"concurrency": {"from": 8, "to": 2}, "rate": {"from": None, "to": 0.5}}


@pytest.mark.parametrize("same", [{}, {"states": ("completed", "error")}, {"concurrency": 8.0}])
def test_what_says_the_same_otherwise_is_no_difference(same):
    assert differences(BEFORE, BEFORE | same) == {}


def test_of_a_url_no_more_is_told_than_all_are_shown():
    changes = differences(BEFORE, {"url": "https://me:hidden@crm.example/?key=hidden"})
    assert told_changes(changes)["url"] == {
        "from": "https://crm.example/?key=***",
        "to": "https://me:***@crm.example/?key=***",
    }


def test_of_one_that_is_made_neither_its_secret_is_told_nor_its_name_again():
    values = {"name": "crm", "url": BEFORE["url"], "secret": "whsec_hidden", "rate": 5}
    assert told(values) == {"url": "https://crm.example/?key=***", "rate": 5}


def test_a_health_is_told_by_its_word():
    assert told_changes({"health": (State.OPEN, State.CLOSED)}) == {"health": {"from": "open", "to": "closed"}}
