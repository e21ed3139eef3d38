"""Why each event became what it is, and how often it was delivered again.

A number tells when an event had its turn: one beyond the cursor of a session that has ended came behind the end, any
other before it. An event came late if it confirms an inferred step, or if the step that it made gives that as its
reason.
"""

from collections.abc import Callable, Mapping
from typing import Final

from statekeeper.core.machine import Cause, Disposition
from statekeeper.explanation.case import Case, CaseEvent
from statekeeper.explanation.conflicts import tell_conflicts
from statekeeper.explanation.numbers import of_numbers
from statekeeper.explanation.sentences import N_, Sentence, Value
from statekeeper.explanation.turns import is_late

MOVED: Final = N_("Number {sequence} ({name}) moved the session from {source} to {target}.")
MOVED_LATE: Final = N_(
    "Number {sequence} ({name}) came after it had been given up on, and still moved the session from {source} to"
    " {target}."
)
HELD: Final = (
    N_("Number {sequence} ({name}) is held: it waits for number {number}."),
    N_("Number {sequence} ({name}) is held: it waits for numbers {numbers}."),
)
BEHIND_THE_END: Final = N_(
    "Number {sequence} ({name}) was rejected: number {last} had ended the session as {state} already."
)
NO_TRANSITION: Final = N_("Number {sequence} ({name}) was rejected: the chart has no such step from {state}.")
UNKNOWN_NAME: Final = N_("Number {sequence} ({name}) was ignored: the chart does not know this name.")
CONFIRMED: Final = N_(
    "Number {sequence} ({name}) came after it had been given up on, and confirmed the step to {target} that had been"
    " inferred."
)
LATE: Final = N_("Number {sequence} ({name}) came after it had been given up on, and was kept without effect.")
ONCE_MORE: Final = N_("It was delivered once more, at {at}.")
MORE_OFTEN: Final = N_("It was delivered {count} more times, the last time at {at}.")


def tell_events(case: Case) -> dict[int, Sentence]:
    """Why each event became what it is, by its arrival."""
    conflicts = tell_conflicts(case)
    return {
        event.arrival: conflicts.get(event.arrival) or _TELLERS[event.disposition](case, event) for event in case.events
    }


def tell_repeats(case: Case) -> dict[int, Sentence]:
    """How often each event was delivered again, by the arrival of its first delivery; none for one that was not."""
    return {event.arrival: _repeats(event) for event in case.events if event.repeats}


def _repeats(event: CaseEvent) -> Sentence:
    at, count = event.repeats[-1].received_at, len(event.repeats)
    return Sentence(ONCE_MORE, {"at": at}) if count == 1 else Sentence(MORE_OFTEN, {"count": count, "at": at})


def _said(text: str, event: CaseEvent, **values: Value) -> Sentence:
    return Sentence(text, {"sequence": event.sequence, "name": event.name, **values})


def _applied(case: Case, event: CaseEvent) -> Sentence:
    step = next(step for step in case.steps if step.event_id == event.event_id)
    text = MOVED_LATE if step.reason else MOVED
    return _said(text, event, source=step.source, target=step.target)


def _held(case: Case, event: CaseEvent) -> Sentence:
    before = [number for number in case.missing if number < event.sequence]
    return of_numbers(*HELD, before, sequence=event.sequence, name=event.name)


def _rejected(case: Case, event: CaseEvent) -> Sentence:
    if case.terminal and event.sequence > case.cursor:
        return _said(BEHIND_THE_END, event, last=case.steps[-1].sequence or 0, state=case.state)
    return _said(NO_TRANSITION, event, state=_state_at_turn(case, event))


def _ignored(_case: Case, event: CaseEvent) -> Sentence:
    return _said(UNKNOWN_NAME, event)


def _late(case: Case, event: CaseEvent) -> Sentence:
    step = next((step for step in case.steps if step.event_id == event.event_id), None)
    return _said(CONFIRMED, event, target=step.target) if step else _said(LATE, event)


def _state_at_turn(case: Case, event: CaseEvent) -> str:
    """Where the session was when the event had its turn: behind all steps of the numbers before it.

    An inferred step was taken where the numbers before the next event's were given up on; a step by an event that came
    late was taken when that came.
    """
    state = case.chart.initial
    for index, step in enumerate(case.steps):
        if is_late(step):
            if step.at > event.received_at:
                break
        elif _place(case, index) >= event.sequence:
            break
        state = step.target
    return state


def _place(case: Case, index: int) -> int:
    """The number at which a step was taken: its own, or, if it was inferred, the last one given up on before it."""
    step = case.steps[index]
    if step.cause == Cause.EVENT:
        return step.sequence or 0
    turn = next(after.sequence or 0 for after in case.steps[index:] if after.cause == Cause.EVENT)
    return max((number for number in _ever_given_up(case) if number < turn), default=0)


def _ever_given_up(case: Case) -> set[int]:
    late = {event.sequence for event in case.events if event.disposition == Disposition.LATE}
    return late.union(case.given_up, (step.sequence or 0 for step in case.steps if is_late(step)))


_TELLERS: Final[Mapping[str, Callable[[Case, CaseEvent], Sentence]]] = {
    Disposition.APPLIED: _applied,
    Disposition.HELD: _held,
    Disposition.REJECTED: _rejected,
    Disposition.IGNORED: _ignored,
    Disposition.LATE: _late,
}
