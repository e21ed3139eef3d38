"""What matters most about a session beyond how it stands: the second sentence about it.

Dead callbacks come first, then a gap's end, then callbacks that have not gone out, contradictions, rejected events, and
what came late or not at all; where nothing is open, that everybody has been told.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from statekeeper.core.machine import Disposition
from statekeeper.explanation.case import Case, CaseCallback, CaseEvent, Circumstances
from statekeeper.explanation.deliveries import URGENCY, tell_callback
from statekeeper.explanation.fates import LATE, tell_events
from statekeeper.explanation.gaps import tell_closing
from statekeeper.explanation.holes import Kind, find_hole
from statekeeper.explanation.sentences import N_, Sentence

MORE_DEAD: Final = N_(
    "{count} callbacks are dead, to {subscribers}; they are not sent again unless somebody retries them."
)
MORE_CONTRADICTED: Final = N_("{count} events contradict what was known before, and were kept without effect.")
MORE_REJECTED: Final = N_("{count} events were rejected, the last of them number {sequence} ({name}).")
MORE_LATE: Final = N_("{count} events came after they had been given up on, and were kept without effect.")
ALL_DELIVERED: Final = N_("Its {count} callbacks were delivered, the last at {at}.")
NOBODY: Final = N_("Nobody was to be told.")
_OVER: Final = {
    Kind.ONE_LOST: N_("Number {number} never came, and was given up on."),
    Kind.MORE_LOST: N_("Numbers {numbers} never came, and were given up on."),
    Kind.ONE_INFERRED_OVER: N_("Number {number} never came, so that the way to {step} was inferred."),
    Kind.MORE_INFERRED_OVER: N_("Numbers {numbers} never came, so that the way to {step} was inferred."),
    Kind.INFERRED: N_("No event told of the way to {step}, so that it was inferred."),
    Kind.ONE_CONFIRMED: N_("Number {number} came late, and confirmed what had been inferred."),
    Kind.MORE_CONFIRMED: N_("Numbers {numbers} came late, and confirmed what had been inferred."),
}


def tell_matter(case: Case, circumstances: Circumstances) -> Sentence | None:
    """What matters most, or None for a session that is on its way with nothing to be said of it."""
    return next(_matters(case, circumstances), None)


def _matters(case: Case, circumstances: Circumstances) -> Iterator[Sentence]:
    """All that matters, the most urgent first; only as much is looked at as is asked for."""
    by_status = {status: [each for each in case.callbacks if each.status == status] for status in ("dead", "pending")}
    if dead := by_status["dead"]:
        yield _tell_dead(case, dead, circumstances)
    if case.held:
        yield tell_closing(case, circumstances)
    if pending := by_status["pending"]:
        told = (tell_callback(case, each, circumstances) for each in pending)
        yield min(told, key=lambda each: URGENCY.index(each.text))
    yield from _matters_of_events(case)
    if case.terminal:
        yield _tell_done(case, circumstances)
    elif hole := find_hole(case):
        yield Sentence(_OVER[hole.kind], hole.values)


def _tell_dead(case: Case, dead: Sequence[CaseCallback], circumstances: Circumstances) -> Sentence:
    if len(dead) == 1:
        return tell_callback(case, dead[0], circumstances)
    names = tuple(dict.fromkeys(each.subscriber for each in dead))
    return Sentence(MORE_DEAD, {"count": len(dead), "subscribers": names})


def _matters_of_events(case: Case) -> Iterator[Sentence]:
    told = tell_events(case)
    of = {kind: [each for each in case.events if each.disposition == kind] for kind in Disposition}
    late = [each for each in of[Disposition.LATE] if told[each.arrival].text == LATE]
    groups = (
        (of[Disposition.CONFLICT], MORE_CONTRADICTED),
        (of[Disposition.REJECTED], MORE_REJECTED),
        (late, MORE_LATE),
    )
    for events, more in groups:
        if len(events) == 1:
            yield told[events[0].arrival]
        elif events:
            yield _tell_several(more, events)


def _tell_several(text: str, events: Sequence[CaseEvent]) -> Sentence:
    return Sentence(text, {"count": len(events), "sequence": events[-1].sequence, "name": events[-1].name})


def _tell_done(case: Case, circumstances: Circumstances) -> Sentence:
    """For a session that has ended, with nothing open: whom it has been told to."""
    if not case.callbacks:
        return Sentence(NOBODY)
    if len(case.callbacks) == 1:
        return tell_callback(case, case.callbacks[0], circumstances)
    last = max(each.delivered_at or each.created_at for each in case.callbacks)
    return Sentence(ALL_DELIVERED, {"count": len(case.callbacks), "at": last})
