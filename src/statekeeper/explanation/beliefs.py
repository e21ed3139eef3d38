"""What was believed when somebody was told, beside what is known now of the same steps.

A callback is frozen when it is written, and a snapshot's account of what it went on without stands still once the
session has ended. So what is known now is made anew of steps and events: an inferred step that bears an event has been
confirmed, and a number given up on has come once an event bears it. What happened behind the callback's own step is no
difference: it was not said to be otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from statekeeper.core.snapshot import Cause, Disposition
from statekeeper.explanation.case import Case, CaseCallback, CaseStep
from statekeeper.explanation.sentences import N_
from statekeeper.explanation.turns import bearers

YES: Final = N_("yes")
NO: Final = N_("no")
NONE: Final = N_("none")
WORDS: Final = frozenset({YES, NO, NONE})
"""The values that are our own words, and to be translated; any other is what it is."""

FLOW: Final = N_("flow")
ENVIRONMENT: Final = N_("environment")
STATE: Final = N_("state")
LAST_STEP: Final = N_("last step")
NUMBERS: Final = N_("numbers applied")
INFERRED: Final = N_("steps without an event")
GIVEN_UP: Final = N_("numbers given up on")
COMPLETE: Final = N_("every event there")
CONTRADICTED: Final = N_("events that contradict it")
_SAID: Final[Mapping[str, str]] = {
    "flowId": FLOW,
    "environment": ENVIRONMENT,
    "state": STATE,
    "lastStep": LAST_STEP,
    "sequences": NUMBERS,
    "inferred": INFERRED,
    "givenUp": GIVEN_UP,
    "contiguous": COMPLETE,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is known otherwise now; `name` is a text to be translated, and so is a value among `WORDS`."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Belief:
    """A callback, and how what it said differs from what is known now."""

    callback: CaseCallback
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        return not self.differences


def beliefs(case: Case) -> tuple[Belief, ...]:
    """One for each callback, in their order."""
    return tuple(Belief(callback, tuple(_differences(case, callback))) for callback in case.callbacks)


def _differences(case: Case, callback: CaseCallback) -> Iterator[Difference]:
    """Only what the callback said at all: one written by an older version says less."""
    then, now = _then(case, callback), _now(case, callback)
    for name, value in now.items():
        if name in then and then[name] != value:
            yield Difference(name, then[name], value)


def _then(case: Case, callback: CaseCallback) -> dict[str, str]:
    said = {_SAID[key]: _SHOWN[key](value) for key, value in callback.then.items() if key in _SAID}
    return said | {CONTRADICTED: _count(_conflicts(case, callback)[0])}


def _now(case: Case, callback: CaseCallback) -> dict[str, str]:
    steps = [step for step in case.steps if step.ordinal <= callback.ordinal]
    inferred = [step.trigger for step in steps if step.event_id is None]
    missing = sorted(set(callback.then.get("givenUp", ())) - bearers(case).keys())
    return {
        FLOW: _text(case.flow_id),
        ENVIRONMENT: _text(case.environment),
        STATE: steps[-1].target if steps else callback.state,
        LAST_STEP: _text(_last_step(case, callback, steps)),
        NUMBERS: _list([step.sequence for step in steps if step.cause == Cause.EVENT]),
        INFERRED: _list(inferred),
        GIVEN_UP: _list(missing),
        COMPLETE: _yes(callback.then.get("contiguous") or not (inferred or missing)),
        CONTRADICTED: _count(sum(_conflicts(case, callback))),
    }


def _last_step(case: Case, callback: CaseCallback, steps: Sequence[CaseStep]) -> str | None:
    """That of the last of the steps whose event had one, the events that confirmed a step among them."""
    events = {event.event_id: event for event in bearers(case).values()}
    borne = [events[step.event_id] for step in steps if step.event_id in events]
    found = [
        _parts(event.last_step.id, event.last_step.type, event.last_step.status) for event in borne if event.last_step
    ]
    return found[-1] if found else _show_step(callback.then.get("lastStep"), none=None)


def _conflicts(case: Case, callback: CaseCallback) -> tuple[int, int]:
    """How many events contradicted the session before the callback was written, and since."""
    times = [event.received_at for event in case.events if event.disposition == Disposition.CONFLICT]
    before = sum(at <= callback.created_at for at in times)
    return before, len(times) - before


def _show_step(step: Mapping[str, Any] | None, none: str | None = NONE) -> str | None:
    return _parts(step.get("id"), step.get("type"), step.get("status")) if step else none


def _parts(*parts: str | None) -> str:
    return " ".join(part for part in parts if part) or NONE


def _text(value: str | None) -> str:
    return NONE if value is None else value


def _list(values: Sequence[object]) -> str:
    return ", ".join(map(str, values)) or NONE


def _count(number: int) -> str:
    return str(number) if number else NONE


def _yes(value: object) -> str:
    return YES if value else NO


_SHOWN: Final[Mapping[str, Any]] = {
    "flowId": _text,
    "environment": _text,
    "state": _text,
    "lastStep": _show_step,
    "sequences": _list,
    "inferred": _list,
    "givenUp": _list,
    "contiguous": _yes,
}
