"""What is said of an event's arrival: how it came, and what finally became of it."""

from typing import Final

from statekeeper.core.snapshot import Cause, Disposition
from statekeeper.explanation.case import Case, CaseEvent, CaseStep
from statekeeper.explanation.moments import Tone
from statekeeper.explanation.sentences import N_, Sentence, Value
from statekeeper.explanation.waits import Waits

Said = tuple[Tone, str]

_IN_TURN: Final = {
    Disposition.APPLIED: (Tone.GOOD, N_("{name}, number {number}, arrived in its turn and took effect.")),
    Disposition.HELD: (Tone.WAITING, N_("{name}, number {number}, arrived early and waits for its turn.")),
    Disposition.IGNORED: (
        Tone.PLAIN,
        N_("{name}, number {number}, arrived; the chart does not know it, so that it had no effect."),
    ),
    Disposition.REJECTED: (
        Tone.BAD,
        N_("{name}, number {number}, arrived, but the chart has no such step from the state at that time: no effect."),
    ),
    Disposition.CONFLICT: (
        Tone.BAD,
        N_("{name}, number {number}, arrived and contradicts what came before it: kept, without effect."),
    ),
    Disposition.LATE: (
        Tone.WAITING,
        N_("{name}, number {number}, arrived after its number had been given up on: kept, without effect."),
    ),
}
_WAITED: Final = {
    Disposition.APPLIED: (
        Tone.WAITING,
        N_("{name}, number {number}, arrived early, waited, and took effect in its turn."),
    ),
    Disposition.IGNORED: (
        Tone.WAITING,
        N_("{name}, number {number}, arrived early and waited; the chart does not know it, so that it had no effect."),
    ),
    Disposition.REJECTED: (
        Tone.BAD,
        N_("{name}, number {number}, arrived early and waited, but in its turn the chart had no such step: no effect."),
    ),
}
_BEHIND: Final = {
    Disposition.IGNORED: (
        Tone.PLAIN,
        N_("{name}, number {number}, arrived after the end; the chart does not know it: no effect."),
    ),
    Disposition.REJECTED: (
        Tone.PLAIN,
        N_("{name}, number {number}, arrived after the end, where nothing can follow: no effect."),
    ),
}
_CONFIRMED: Final = (
    Tone.GOOD,
    N_(
        "{name}, number {number}, arrived after its number had been given up on, and confirmed the inferred step from"
        " {source} to {target}."
    ),
)
_AFTER_ALL: Final = (
    Tone.GOOD,
    N_("{name}, number {number}, arrived after its number had been given up on, and took effect after all."),
)
_OTHER: Final = (Tone.PLAIN, N_("{name}, number {number}, arrived and became {disposition}."))


def tell_arrival(case: Case, waits: Waits, event: CaseEvent) -> tuple[Tone, Sentence]:
    """How an arrival is looked at, and the sentence about it."""
    values: dict[str, Value] = {"name": event.name, "number": event.sequence, "disposition": event.disposition}
    step = next((step for step in case.steps if step.event_id == event.event_id), None)
    tone, text = _of_step(event, step) or _of_turn(waits, event)
    if step:
        values |= {"source": step.source, "target": step.target}
    return tone, Sentence(text, values)


def _of_step(event: CaseEvent, step: CaseStep | None) -> Said | None:
    """What only the step can tell: that a late event confirmed it, or made it after all."""
    if step is None or event.disposition not in {Disposition.LATE, Disposition.APPLIED}:
        return None
    if step.cause == Cause.INFERRED:
        return _CONFIRMED
    return _AFTER_ALL if step.reason else None


def _of_turn(waits: Waits, event: CaseEvent) -> Said:
    disposition = Disposition(event.disposition)
    if event.arrival in waits.behind and disposition in _BEHIND:
        return _BEHIND[disposition]
    if event.arrival in waits.waited and disposition in _WAITED:
        return _WAITED[disposition]
    return _IN_TURN.get(disposition, _OTHER)
