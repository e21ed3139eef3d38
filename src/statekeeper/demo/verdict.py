"""Holds what the service says against what must be true. Pure: documents in, sentences about what is wrong out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from statekeeper.core.statechart import Statechart
from statekeeper.demo.expectations import Expectations
from statekeeper.demo.subscribers import Notice, Notices

Document = Mapping[str, Any]


def session_faults(expected: Expectations, sessions: Mapping[UUID, Document], chart: Statechart) -> Iterator[str]:
    """Every session is known that was spoken of by its sender, no other, and each is where its story says."""
    for session_id in sessions.keys() - expected.states.keys():
        yield f"session {session_id} is known, though only a forger spoke of it"
    for session_id, state in expected.states.items():
        session = sessions.get(session_id)
        if session is None:
            yield f"session {session_id} is not known"
        elif session["state"] != state:
            yield f"session {session_id} is {session['state']}, and must be {state}"
        elif session["terminal"] != chart.is_final(state) or session["held"]:
            yield f"session {session_id} is {state}, but is not shown as settled"


def history_faults(expected: Expectations, session: Document, history: Document, chart: Statechart) -> Iterator[str]:
    """The history is a legal path to the session's state, of the sender's events and no others."""
    session_id = UUID(session["sessionId"])
    if not _is_legal(history["transitions"], session["state"], chart):
        yield f"session {session_id}: its history is no legal path to {session['state']}"
    events, right = {event["eventId"] for event in history["events"]}, expected.events.get(session_id, set())
    if events - right:
        yield f"session {session_id}: an event counts that is not the sender's"
    if right - events:
        yield f"session {session_id}: an event is missing that was answered 2xx"
    if inferred(history) and session["contiguous"]:
        yield f"session {session_id}: a step was inferred, and it is shown as contiguous"


def notice_faults(expected: set[Notice], notices: Notices) -> Iterator[str]:
    """Every subscriber was told of what it is due, under one callback id, and of nothing else."""
    for notice in expected - notices.keys():
        yield f"session {notice.session_id}: {notice.subscriber} was not told that it is {notice.state}"
    for notice in notices.keys() - expected:
        yield f"session {notice.session_id}: {notice.subscriber} was told in vain that it is {notice.state}"
    for notice, callback_ids in notices.items():
        if len(callback_ids) > 1:
            yield f"session {notice.session_id}: {notice.subscriber} was told under several callback ids"


def forged(expected: Expectations, history: Document) -> int:
    """How many of the events are forgeries."""
    return sum(event["eventId"] in expected.forged for event in history["events"])


def inferred(history: Document) -> int:
    """How many of the steps were inferred."""
    return sum(step["cause"] == "inferred" for step in history["transitions"])


def _is_legal(steps: Iterable[Document], end: str, chart: Statechart) -> bool:
    state = chart.initial
    for ordinal, step in enumerate(steps, start=1):
        target = chart.target(state, step["trigger"])
        if (step["ordinal"], step["source"], step["target"]) != (ordinal, state, target):
            return False
        state = step["target"]
    return state == end
