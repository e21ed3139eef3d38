"""What an event contradicts: an event of its own id, else one of its own number, else the session.

What differs is named as the sender names it.
"""

from collections.abc import Mapping
from typing import Final

from statekeeper.core.machine import Disposition
from statekeeper.explanation.case import Case, CaseEvent
from statekeeper.explanation.sentences import N_, Sentence, Value

OTHER_FACTS: Final = N_(
    "Number {sequence} ({name}) contradicts what came first under its eventId, in {facts}; it was kept without effect."
)
NUMBER_TAKEN: Final = N_(
    "Number {sequence} ({name}) contradicts another event, {other}, that has this number already; it was kept without"
    " effect."
)
OTHER_ORIGIN: Final = N_("Number {sequence} ({name}) contradicts the session, in {facts}; it was kept without effect.")


def tell_conflicts(case: Case) -> dict[int, Sentence]:
    """In what each conflict contradicts what was known when it came, by its arrival."""
    by_id: dict[str, CaseEvent] = {}
    by_number: dict[int, CaseEvent] = {}
    told = {}
    for event in case.events:
        if event.disposition == Disposition.CONFLICT:
            told[event.arrival] = _tell(case, event, by_id, by_number)
        else:
            by_number.setdefault(event.sequence, event)
        by_id.setdefault(event.event_id, event)
    return told


def _tell(case: Case, event: CaseEvent, by_id: Mapping[str, CaseEvent], by_number: Mapping[int, CaseEvent]) -> Sentence:
    said: dict[str, Value] = {"sequence": event.sequence, "name": event.name}
    if first := by_id.get(event.event_id):
        return Sentence(OTHER_FACTS, said | {"facts": _differences(first, event)})
    if holder := by_number.get(event.sequence):
        return Sentence(NUMBER_TAKEN, said | {"other": holder.name})
    return Sentence(OTHER_ORIGIN, said | {"facts": _strange(case, event)})


def _differences(first: CaseEvent, event: CaseEvent) -> tuple[str, ...]:
    pairs = {
        "eventName": (first.name, event.name),
        "eventSequence": (first.sequence, event.sequence),
        "flowId": (first.flow_id, event.flow_id),
        "environment": (first.environment, event.environment),
        "sessionStatus": (first.session_status, event.session_status),
    }
    return tuple(name for name, (then, now) in pairs.items() if then != now)


def _strange(case: Case, event: CaseEvent) -> tuple[str, ...]:
    """What the event says otherwise than the session; what it does not say is no contradiction."""
    pairs = {"flowId": (case.flow_id, event.flow_id), "environment": (case.environment, event.environment)}
    return tuple(name for name, (known, said) in pairs.items() if said is not None and known != said)
