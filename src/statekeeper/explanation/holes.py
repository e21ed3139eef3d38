"""What the order went on without: numbers that never came, steps that were inferred, and what came too late.

`Case.given_up` stands still once the session has ended; what has come since is seen in its events.
"""

from enum import StrEnum
from typing import NamedTuple

from statekeeper.core.machine import Cause, Disposition
from statekeeper.explanation.case import Case
from statekeeper.explanation.numbers import spans
from statekeeper.explanation.sentences import Value


class Kind(StrEnum):
    """Which hole it is: numbers that never came (one, several), with steps inferred or without; or one that closed."""

    ONE_LOST = "one_lost"
    MORE_LOST = "more_lost"
    ONE_INFERRED_OVER = "one_inferred_over"
    MORE_INFERRED_OVER = "more_inferred_over"
    INFERRED = "inferred"
    ONE_CONFIRMED = "one_confirmed"
    MORE_CONFIRMED = "more_confirmed"


class Hole(NamedTuple):
    """A hole, with what a sentence about it needs: `number` or `numbers`, and `step`, the last state inferred."""

    kind: Kind
    values: dict[str, Value]


def find_hole(case: Case) -> Hole | None:
    """The hole that matters most, if there is any."""
    inferred = [step for step in case.steps if step.cause == Cause.INFERRED]
    unconfirmed = [step for step in inferred if step.event_id is None]
    lost = _lost(case)
    if unconfirmed:
        kinds = Kind.ONE_INFERRED_OVER, Kind.MORE_INFERRED_OVER
        step = unconfirmed[-1].target
        return _hole(*kinds, lost, step=step) if lost else Hole(Kind.INFERRED, {"step": step})
    if lost:
        return _hole(Kind.ONE_LOST, Kind.MORE_LOST, lost)
    late = [step.sequence for step in inferred if step.sequence is not None]
    return _hole(Kind.ONE_CONFIRMED, Kind.MORE_CONFIRMED, late) if late else None


def _lost(case: Case) -> list[int]:
    came = {event.sequence for event in case.events if event.disposition != Disposition.CONFLICT}
    return sorted(set(case.given_up) - came)


def _hole(one: Kind, more: Kind, numbers: list[int], **values: Value) -> Hole:
    if len(numbers) == 1:
        return Hole(one, {"number": numbers[0], **values})
    return Hole(more, {"numbers": spans(numbers), **values})
