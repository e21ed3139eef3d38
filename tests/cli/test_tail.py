import json
import signal
from uuid import UUID

import pytest

from following import following, take
from statekeeper.cli.tail import show_step
from statekeeper.store.views import FeedItem

SEVENTH = str(UUID(int=7))
pytestmark = pytest.mark.usefixtures("store")


def test_the_last_steps_are_shown_and_then_each_as_it_is_taken(tmp_path):
    with following("tail") as tail:
        assert tail.said == "Steps after position 0, until Ctrl-C:\n"
        before = [tail.line() for _ in range(2)]
        take(tmp_path, 7)
        lines = [tail.line() for _ in range(2)]
        assert tail.end(signal.SIGINT) == (0, "")
    assert all("session." in line for line in before)
    assert [line.split()[1:] for line in lines] == [
        ["created", SEVENTH, "pending", "→", "session.created"],
        ["completed", SEVENTH, "created", "→", "session.completed"],
    ]


@pytest.mark.parametrize(
    "filters",
    [
        ("--session", SEVENTH, "--ends"),
        ("--state", "error"),
        ("--environment", "live", "-n", 0),
        ("--flow-id", "f", "--lines", 0),
    ],
)
def test_only_what_was_asked_for_is_shown(tmp_path, filters):
    with following("tail", *filters, "--json") as tail:
        take(tmp_path, 6)
        take(tmp_path, 7, "error", environment="live", flow_id="f")
        item = json.loads(tail.line())
        assert tail.end() == (0, "")
    assert (item["sessionId"], item["state"]) == (SEVENTH, "error")


def test_a_step_says_what_was_inferred_and_where_an_end_came_over_a_gap(capsys):
    step = {"type": "session.error", "position": "1", "session_id": UUID(int=7), "ordinal": 1, "state": "error"}
    how = {"source": "created", "trigger": "session.error", "event_id": None, "sequence": None}
    of = {**step, **how, "at": "2026-01-08T08:35:38.581Z"}
    show_step(FeedItem(**of, cause="inferred", terminal=False))
    show_step(FeedItem(**of, cause="event", terminal=True, contiguous=False, environment="live", flow_id="f"))
    show_step(FeedItem(**of, cause="event", terminal=True, contiguous=True, environment="live\n13:00:00  forged"))
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.endswith("  inferred")
    assert second.endswith("  live  f  over a gap")
    assert third.endswith("  live\\n13:00:00  forged")
