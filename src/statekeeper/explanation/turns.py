"""The one chain of a session's steps and of the gaps that it went on without, in the order in which they came about.

When a gap was given up on is recorded nowhere by itself. That it was follows from the cursor (a number that it passed,
and that no event bore by then), and when from the steps that were taken for it: those inferred name its numbers, and
the event behind it had its turn at once. Where that event had no effect only a bound is known: the next step, a late
arrival of what was given up on, or the last change of the session. Such a gap is not `exact`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from statekeeper.core.reasons import AFTER_ITS_TURN, read_given_up
from statekeeper.core.snapshot import Cause, Disposition
from statekeeper.explanation.case import Case, CaseEvent, CaseStep


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of numbers that the order went on without, all given up on at once; `exact` if it is known when."""

    first: int
    last: int
    exact: bool = True

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(range(self.first, self.last + 1))


@dataclass(frozen=True, slots=True)
class Turn:
    """A step, or a gap given up on. `place` is the last of the arrivals that it needed; both only grow in the chain."""

    at: datetime
    place: int
    step: CaseStep | None = None
    gap: Gap | None = None


def turns(case: Case) -> tuple[Turn, ...]:
    """The chain: each gap stands before the first step that was taken behind it."""
    chain: list[Turn] = []
    for turn in _linked(case):
        before = chain[-1] if chain else turn
        chain.append(replace(turn, at=max(turn.at, before.at), place=max(turn.place, before.place)))
    return tuple(chain)


def is_late(step: CaseStep) -> bool:
    """Whether its event took effect after its number had been given up on."""
    return step.cause == Cause.EVENT and step.reason == AFTER_ITS_TURN


def bearers(case: Case) -> dict[int, CaseEvent]:
    """The event that bears each number; a conflict bears none."""
    return {event.sequence: event for event in case.events if event.disposition != Disposition.CONFLICT}


def given_up(case: Case) -> tuple[Gap, ...]:
    """The gaps that the order went on without, whatever has come since, in the order of their numbers."""
    borne = _in_turn(case)
    gaps: list[Gap] = []
    for number in range(1, case.cursor + 1):
        if number in borne:
            continue
        if gaps and gaps[-1].last == number - 1:
            gaps[-1] = Gap(gaps[-1].first, number)
        else:
            gaps.append(Gap(number, number))
    return tuple(gaps)


def _in_turn(case: Case) -> dict[int, int]:
    """The arrival that brought each number, of those that had not been given up on by then."""
    late = {step.sequence for step in case.steps if is_late(step)}
    return {
        number: event.arrival
        for number, event in bearers(case).items()
        if event.disposition != Disposition.LATE and number not in late
    }


def _linked(case: Case) -> Iterator[Turn]:
    """Steps and gaps in order; times and places as each knows them by itself."""
    closed = [_close(case, gap) for gap in given_up(case)]
    for index, step in enumerate(case.steps):
        mover = _mover(case, index)
        while closed and _follows(step, mover, closed[0]):
            gap = closed.pop(0)
            yield replace(gap, at=min(gap.at, step.at))
        yield Turn(step.at, _place(case, mover) if mover else 0, step=step)
    yield from closed


def _place(case: Case, mover: CaseStep) -> int:
    """The last arrival that a step had to wait for: that of its event, or of any number before it."""
    if is_late(mover):
        return bearers(case)[mover.sequence or 0].arrival
    return _last_up_to(case, mover.sequence or 0)


def _last_up_to(case: Case, number: int) -> int:
    return max((arrival for each, arrival in _in_turn(case).items() if each <= number), default=0)


def _mover(case: Case, index: int) -> CaseStep | None:
    """The step by an event that a step was taken for: an inferred one prepares the next of the same time."""
    here = case.steps[index]
    behind = (step for step in case.steps[index:] if step.at == here.at)
    return next((step for step in behind if step.cause == Cause.EVENT), None)


def _follows(step: CaseStep, mover: CaseStep | None, turn: Turn) -> bool:
    """Whether a step was taken behind a gap: by the numbers, or by the times where what moved it came late."""
    gap = turn.gap
    assert gap is not None  # noqa: S101 -- only gaps are asked about
    if (number := read_given_up(step.reason)) is not None:
        return number >= gap.first
    sequence = mover.sequence or 0 if mover else 0
    return sequence >= gap.first or (turn.at <= step.at and (mover is None or is_late(mover)))


def _close(case: Case, gap: Gap) -> Turn:
    """A gap given up on, with the place of the event that was held behind it."""
    borne = bearers(case)
    place = _last_up_to(case, gap.last + 1)
    taken = [step.at for step in case.steps if _shows(step, gap)]
    if taken:
        return Turn(min(taken), place, gap=gap)
    late = [borne[number].received_at for number in gap.numbers if number in borne]
    return Turn(min([*late, case.updated_at]), place, gap=replace(gap, exact=False))


def _shows(step: CaseStep, gap: Gap) -> bool:
    """Whether a step was taken in the moment in which the gap was given up on."""
    if step.cause == Cause.INFERRED:
        return read_given_up(step.reason) == gap.first
    return step.sequence == gap.last + 1 and not is_late(step)
