"""What is said of everything on a timeline but the arrivals: steps, gaps, callbacks, their attempts, acts of people."""

from collections.abc import Mapping
from typing import Final

from statekeeper.core.acts import Deed
from statekeeper.core.reasons import read_came_first
from statekeeper.core.retry import Outcome
from statekeeper.core.snapshot import Cause
from statekeeper.explanation.case import Case, CaseAct, CaseAttempt, CaseCallback, CaseEvent, CaseStep
from statekeeper.explanation.moments import Tone
from statekeeper.explanation.sentences import N_, Sentence, Value
from statekeeper.explanation.turns import Gap

Telling = tuple[Tone, Sentence]

INTERRUPTED: Final = "interrupted"
_ENDS: Final = {"completed": Tone.GOOD, "error": Tone.BAD}
_ACTS: Final[Mapping[str, tuple[str, str]]] = {
    Deed.RETRY: (
        N_("{actor} had the callback to {subscriber} tried again: {reason}"),
        N_("{actor} had the callback to {subscriber} tried again."),
    ),
    Deed.RESEND: (
        N_("{actor} had the delivered callback sent to {subscriber} again: {reason}"),
        N_("{actor} had the delivered callback sent to {subscriber} again."),
    ),
    Deed.CLOSE_GAP: (
        N_("{actor} had the gap closed: {reason}"),
        N_("{actor} had the gap closed."),
    ),
    Deed.NOTE: (
        N_("{actor} noted: {reason}"),
        N_("{actor} left a note."),
    ),
}
_OTHER_ACT: Final = (N_("{actor} did {act}: {reason}"), N_("{actor} did {act}."))
_OF_A_CALLBACK: Final = {Deed.RETRY, Deed.RESEND}


def tell_step(case: Case, step: CaseStep, behind: Gap | None) -> Telling:
    """A step; `behind` is the gap that it was inferred over, if it was."""
    values: dict[str, Value] = {"source": step.source, "target": step.target, "trigger": step.trigger}
    if step.cause != Cause.INFERRED:
        tone = _ENDS.get(step.target, Tone.PLAIN) if case.chart.is_final(step.target) else Tone.PLAIN
        return tone, Sentence(N_("{source} became {target}, by {trigger}."), values)
    return Tone.WAITING, _tell_inferred(step, behind, values)


def _tell_inferred(step: CaseStep, behind: Gap | None, values: dict[str, Value]) -> Sentence:
    if behind and len(behind.numbers) == 1:
        text = N_("{source} must have become {target}, by {trigger}: inferred, as number {number} was given up on.")
        return Sentence(text, values | {"number": behind.first})
    if behind:
        text = N_(
            "{source} must have become {target}, by {trigger}: inferred, as numbers {first} to {last} were given up on."
        )
        return Sentence(text, values | {"first": behind.first, "last": behind.last})
    if first := read_came_first(step.reason):
        text = N_("{source} must have become {target}, by {trigger}: inferred, as {first} came before it.")
        return Sentence(text, values | {"first": first})
    return Sentence(N_("{source} must have become {target}, by {trigger}: inferred."), values)


def tell_missing(event: CaseEvent, missing: tuple[int, ...]) -> Telling:
    """A gap is noticed: what was missing when an event came."""
    if len(missing) == 1:
        text = N_("Number {missing} was missing when number {number} came.")
        return Tone.WAITING, Sentence(text, {"missing": missing[0], "number": event.sequence})
    text = N_("Numbers {missing} to {last} were missing when number {number} came.")
    return Tone.WAITING, Sentence(text, {"missing": missing[0], "last": missing[-1], "number": event.sequence})


def tell_given_up(gap: Gap) -> Telling:
    """A gap is given up on; of one that is not exact only a bound is known, and said to be one."""
    values: dict[str, Value] = {"number": gap.first, "last": gap.last}
    if gap.first == gap.last:
        exact, bound = N_("Number {number} was given up on."), N_("By now number {number} had been given up on.")
    else:
        exact = N_("Numbers {number} to {last} were given up on.")
        bound = N_("By now numbers {number} to {last} had been given up on.")
    return Tone.WAITING, Sentence(exact if gap.exact else bound, values)


def tell_callback(callback: CaseCallback, step: CaseStep | None) -> Telling:
    """A callback is owed: with its step, or made up for later."""
    values: dict[str, Value] = {"subscriber": callback.subscriber, "state": callback.state}
    if step and callback.created_at > step.at:
        return Tone.PLAIN, Sentence(N_("A callback about {state}, once missed, was owed to {subscriber}."), values)
    return Tone.PLAIN, Sentence(N_("A callback about {state} was owed to {subscriber}."), values)


def tell_attempt(callback: CaseCallback, attempt: CaseAttempt) -> Telling:
    """An attempt, over; of the last one of a dead callback also that it was the last."""
    values: dict[str, Value] = {"number": attempt.number, "subscriber": callback.subscriber}
    if attempt.outcome == Outcome.DELIVERED:
        return Tone.GOOD, Sentence(N_("Attempt {number} delivered the callback to {subscriber}."), values)
    is_dead = callback.status == "dead" and callback.buried_at is None
    is_last = is_dead and attempt is callback.attempts[-1]
    if attempt.detail is None:
        return Tone.BAD, Sentence(_plain_failure(attempt, is_last=is_last), values)
    text = _failure(attempt, is_last=is_last)
    return Tone.BAD, Sentence(text, values | {"detail": attempt.detail})


def _failure(attempt: CaseAttempt, *, is_last: bool) -> str:
    if attempt.outcome == Outcome.GAVE_UP and is_last:
        return N_("{subscriber} gave up on the callback at attempt {number}: {detail}. It is dead.")
    if attempt.outcome == Outcome.GAVE_UP:
        return N_("{subscriber} gave up on the callback at attempt {number}: {detail}.")
    if attempt.detail == INTERRUPTED and not is_last:
        return N_("Attempt {number} at {subscriber} was interrupted: nobody knows whether it arrived.")
    if is_last:
        return N_("Attempt {number} at {subscriber} failed: {detail}. It was the last: the callback is dead.")
    return N_("Attempt {number} at {subscriber} failed: {detail}.")


def _plain_failure(attempt: CaseAttempt, *, is_last: bool) -> str:
    if attempt.outcome == Outcome.GAVE_UP and is_last:
        return N_("{subscriber} gave up on the callback at attempt {number}. It is dead.")
    if attempt.outcome == Outcome.GAVE_UP:
        return N_("{subscriber} gave up on the callback at attempt {number}.")
    if is_last:
        return N_("Attempt {number} at {subscriber} failed. It was the last: the callback is dead.")
    return N_("Attempt {number} at {subscriber} failed.")


def tell_act(act: CaseAct, callback: CaseCallback | None) -> Telling:
    """What a person did, and why."""
    known = act.act in _ACTS and (callback is not None or act.act not in _OF_A_CALLBACK)
    with_reason, without = _ACTS[act.act] if known else _OTHER_ACT
    values: dict[str, Value] = {"actor": act.actor, "act": act.act, "reason": act.reason or ""}
    if callback:
        values["subscriber"] = callback.subscriber
    return Tone.PLAIN, Sentence(with_reason if act.reason else without, values)
