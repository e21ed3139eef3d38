from uuid import UUID

import pytest

from statekeeper.demo.expectations import Expectations
from statekeeper.demo.subscribers import Notice
from statekeeper.demo.verdict import forged, history_faults, inferred, notice_faults, session_faults
from statekeeper.resources import default_chart

CHART = default_chart()
ID = UUID(int=1)
NOTICE = Notice("crm", ID, "completed")
EXPECTED = Expectations({ID: "completed"}, {ID: {"e1", "e2"}}, {NOTICE}, {"e9"})
SESSION = {"sessionId": str(ID), "state": "completed", "terminal": True, "held": [], "contiguous": True}
CREATED = {"ordinal": 1, "source": "pending", "target": "created", "trigger": "session.created", "cause": "event"}
ENDED = {"ordinal": 2, "source": "created", "target": "completed", "trigger": "session.completed", "cause": "event"}
HISTORY = {"transitions": [CREATED, ENDED], "events": [{"eventId": "e1"}, {"eventId": "e2"}]}


def of_sessions(*sessions: dict) -> list[str]:
    known = {UUID(session["sessionId"]): session for session in sessions}
    return list(session_faults(EXPECTED, known, CHART))


def of_history(session: dict = SESSION, **parts: list) -> list[str]:
    return list(history_faults(EXPECTED, session, {**HISTORY, **parts}, CHART))


def test_what_must_be_is_no_fault():
    assert of_sessions(SESSION) == []
    assert of_history() == []
    assert list(notice_faults({NOTICE}, {NOTICE: {ID}})) == []


def test_a_session_that_only_a_forger_spoke_of_must_not_be_known():
    stranger = {**SESSION, "sessionId": str(UUID(int=2))}
    assert of_sessions(SESSION, stranger) == [f"session {UUID(int=2)} is known, though only a forger spoke of it"]


def test_a_session_of_the_senders_must_be_known():
    assert of_sessions() == [f"session {ID} is not known"]


def test_a_session_must_be_where_its_story_says():
    assert of_sessions({**SESSION, "state": "created"}) == [f"session {ID} is created, and must be completed"]


@pytest.mark.parametrize("wrong", [{"terminal": False}, {"held": [3]}])
def test_a_session_must_be_settled(wrong: dict):
    assert of_sessions({**SESSION, **wrong}) == [f"session {ID} is completed, but is not shown as settled"]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [CREATED],
        [ENDED],
        [CREATED, ENDED, ENDED],
        [CREATED, {**ENDED, "ordinal": 3}],
        [CREATED, {**ENDED, "source": "pending"}],
        [CREATED, {**ENDED, "target": "aborted"}],
        [CREATED, {**ENDED, "trigger": "session.aborted"}],
    ],
)
def test_a_history_must_be_a_legal_path(steps: list):
    assert of_history(transitions=steps) == [f"session {ID}: its history is no legal path to completed"]


def test_a_history_has_the_senders_events_and_no_others():
    events = [{"eventId": "e1"}, {"eventId": "e9"}]
    assert of_history(events=events) == [
        f"session {ID}: an event counts that is not the sender's",
        f"session {ID}: an event is missing that was answered 2xx",
    ]
    assert forged(EXPECTED, {"events": events}) == 1


def test_what_was_inferred_is_marked():
    steps = [{**CREATED, "cause": "inferred"}, ENDED]
    assert of_history(transitions=steps) == [f"session {ID}: a step was inferred, and it is shown as contiguous"]
    assert of_history({**SESSION, "contiguous": False}, transitions=steps) == []
    assert inferred({"transitions": steps}) == 1


def test_whoever_is_due_a_notice_gets_it_under_one_id_and_nobody_else_gets_any():
    other = Notice("crm", ID, "aborted")
    assert list(notice_faults({NOTICE}, {})) == [f"session {ID}: crm was not told that it is completed"]
    assert list(notice_faults(set(), {other: {ID}})) == [f"session {ID}: crm was told in vain that it is aborted"]
    twice = {NOTICE: {ID, UUID(int=2)}}
    assert list(notice_faults({NOTICE}, twice)) == [f"session {ID}: crm was told under several callback ids"]
