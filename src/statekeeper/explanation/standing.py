"""How a session stands: the first sentence about it."""

from typing import Final

from statekeeper.explanation.case import Case
from statekeeper.explanation.gaps import tell_wait
from statekeeper.explanation.holes import Kind, find_hole
from statekeeper.explanation.sentences import N_, Sentence, Value

UNMOVED: Final = N_("Nothing that has come so far has moved it: it has waited for its first step since {since}.")
RUNNING: Final = N_("It has been in the state {state} since {since}, and waits for its end; nothing is missing.")
RUNNING_OVER: Final = N_("It has been in the state {state} since {since}, and waits for its end.")
ENDED: Final = N_("It is {state}: number {last} ({name}) ended it at {at}.")
_ENDED_OVER: Final = {
    Kind.ONE_LOST: N_("It is {state}: number {last} ({name}) ended it at {at}, although number {number} never came."),
    Kind.MORE_LOST: N_(
        "It is {state}: number {last} ({name}) ended it at {at}, although numbers {numbers} never came."
    ),
    Kind.ONE_INFERRED_OVER: N_(
        "It is {state}: number {last} ({name}) ended it at {at}; number {number} never came, so that the way to {step}"
        " was inferred."
    ),
    Kind.MORE_INFERRED_OVER: N_(
        "It is {state}: number {last} ({name}) ended it at {at}; numbers {numbers} never came, so that the way to"
        " {step} was inferred."
    ),
    Kind.INFERRED: N_(
        "It is {state}: number {last} ({name}) ended it at {at}; no event told of the way to {step}, so that it was"
        " inferred."
    ),
    Kind.ONE_CONFIRMED: N_(
        "It is {state}: number {last} ({name}) ended it at {at}; number {number} came late, and confirmed what had been"
        " inferred."
    ),
    Kind.MORE_CONFIRMED: N_(
        "It is {state}: number {last} ({name}) ended it at {at}; numbers {numbers} came late, and confirmed what had"
        " been inferred."
    ),
}


def tell_standing(case: Case) -> Sentence:
    """The state of the session and what made it so, or what the session waits for and since when."""
    if case.held:
        return tell_wait(case)
    if not case.steps:
        return Sentence(UNMOVED, {"since": case.first_seen_at})
    if case.terminal:
        return _tell_end(case)
    return Sentence(RUNNING_OVER if find_hole(case) else RUNNING, {"state": case.state, "since": case.steps[-1].at})


def _tell_end(case: Case) -> Sentence:
    """No step into a final state is ever inferred, so that the last one has its number."""
    end = case.steps[-1]
    values: dict[str, Value] = {"state": case.state, "last": end.sequence or 0, "name": end.trigger, "at": end.at}
    hole = find_hole(case)
    return Sentence(_ENDED_OVER[hole.kind], values | hole.values) if hole else Sentence(ENDED, values)
