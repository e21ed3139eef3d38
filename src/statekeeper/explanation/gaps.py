"""A gap: what is waited for, and what will be when the wait is over, by the fold's own rule and by no second one.

A gap is over `gap_timeout` after the first event behind it came, or after the service was last interrupted, whichever
is later. One sweep closes all gaps of a session that are over by then, so that several may go at one time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition, Origin, Snapshot, close_gap
from statekeeper.explanation.case import Case, CaseEvent, Circumstances
from statekeeper.explanation.numbers import of_numbers
from statekeeper.explanation.sentences import N_, Sentence

_WAITS: Final = (
    N_("It has waited for number {number} since {since}: number {held} ({name}) has come before it."),
    N_("It has waited for numbers {numbers} since {since}: number {held} ({name}) has come before them."),
)
_BECOMES: Final = (
    N_("At {at} number {number} is given up on, and it becomes {state}."),
    N_("At {at} numbers {numbers} are given up on, and it becomes {state}."),
)
_STAYS: Final = (
    N_("At {at} number {number} is given up on, and it stays {state}."),
    N_("At {at} numbers {numbers} are given up on, and it stays {state}."),
)
_OVERDUE_BECOMES: Final = (
    N_("Number {number} has been overdue since {at}: when the service next gives it up, it becomes {state}."),
    N_("Numbers {numbers} have been overdue since {at}: when the service next gives them up, it becomes {state}."),
)
_OVERDUE_STAYS: Final = (
    N_("Number {number} has been overdue since {at}: when the service next gives it up, it stays {state}."),
    N_("Numbers {numbers} have been overdue since {at}: when the service next gives them up, it stays {state}."),
)
_TEXTS: Final = {
    (False, True): _BECOMES,
    (False, False): _STAYS,
    (True, True): _OVERDUE_BECOMES,
    (True, False): _OVERDUE_STAYS,
}


@dataclass(frozen=True, slots=True)
class Closing:
    """What giving up will do: when, on which numbers, and the state of the session behind it."""

    at: datetime
    numbers: tuple[int, ...]
    state: str


def tell_wait(case: Case) -> Sentence:
    """What a session that holds events waits for, and since when."""
    snapshot = _snapshot(case)
    first = snapshot.held[0]
    missing = range(snapshot.cursor + 1, first.sequence)
    return of_numbers(*_WAITS, missing, since=_since(_came(case), snapshot), held=first.sequence, name=first.name)


def tell_closing(case: Case, circumstances: Circumstances) -> Sentence:
    """What happens next to a session that holds events, and when."""
    closing = foresee(case, circumstances.gap_timeout)
    texts = _TEXTS[closing.at <= circumstances.now, closing.state != case.state]
    return of_numbers(*texts, closing.numbers, at=closing.at, state=closing.state)


def foresee(case: Case, gap_timeout: timedelta) -> Closing:
    """What will have become of a session that holds events once its wait is over, if nothing comes before that."""
    snapshot, came = _snapshot(case), _came(case)
    since = _since(came, snapshot)
    at = max(since, case.up_since or since) + gap_timeout
    numbers: list[int] = []
    while snapshot.held and _since(came, snapshot) + gap_timeout <= at:
        numbers += range(snapshot.cursor + 1, snapshot.held[0].sequence)
        snapshot = close_gap(case.chart, snapshot).after
    return Closing(at, tuple(numbers), snapshot.state)


def _came(case: Case) -> dict[int, datetime]:
    """When each of the events came that are held, by their numbers."""
    return {event.sequence: event.received_at for event in _held(case)}


def _since(came: Mapping[int, datetime], snapshot: Snapshot) -> datetime:
    return min(came[event.sequence] for event in snapshot.held)


def _held(case: Case) -> list[CaseEvent]:
    held = [event for event in case.events if event.disposition == Disposition.HELD]
    return sorted(held, key=lambda event: event.sequence)


def _snapshot(case: Case) -> Snapshot:
    """The session as the fold knows it, as far as the closing of a gap asks."""
    origin = Origin(case.flow_id, case.environment)
    return Snapshot(
        session_id=case.session_id,
        state=case.state,
        cursor=case.cursor,
        held=tuple(SessionEvent(event.event_id, event.name, event.sequence, case.session_id) for event in _held(case)),
        origin=origin,
        decided=origin,
        ordinal=len(case.steps),
    )
