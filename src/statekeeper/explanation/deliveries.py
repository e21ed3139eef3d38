"""Why each callback is where it is: delivered, dead, or what keeps it from going out.

What keeps a callback is asked in the order in which the relay would meet it: an attempt that is under way, an obstacle,
its own time. Whoever had it delivered once has it, whatever becomes of the next time that somebody had it sent: that is
said first.
"""

from datetime import datetime
from typing import Final

from statekeeper.core.retry import Outcome
from statekeeper.explanation.case import Case, CaseAttempt, CaseCallback, Circumstances
from statekeeper.explanation.obstacles import (
    BEHIND,
    CIRCUIT_OPEN,
    DISABLED,
    NOT_LOADED,
    PROBED,
    about,
    tell_kept,
)
from statekeeper.explanation.sentences import N_, Sentence, Value

DELIVERED: Final = N_("The callback to {subscriber} ({state}) was delivered at {at}.")
DELIVERED_LATER: Final = N_("The callback to {subscriber} ({state}) was delivered at {at}, at attempt {attempt}.")
DELIVERED_AGAIN: Final = N_(
    "The callback to {subscriber} ({state}) was delivered {count} times, first at attempt {attempt}, and last at {at}."
)
NEVER_SENT: Final = N_(
    "The callback to {subscriber} ({state}) is dead: the subscriber was removed before it went out; it is not sent"
    " unless somebody retries it."
)
BURIED: Final = N_(
    "The callback to {subscriber} ({state}) is dead: attempt {attempt} at {at} had failed ({detail}) when the"
    " subscriber was removed, at {removed}; it is not sent again unless somebody retries it."
)
GIVEN_UP: Final = N_(
    "The callback to {subscriber} ({state}) is dead: attempt {attempt} at {at} ended it ({detail}); it is not sent"
    " again unless somebody retries it."
)
DEAD_AT_ONCE: Final = N_(
    "The callback to {subscriber} ({state}) is dead: its only attempt at {at} failed ({detail}); it is not sent again"
    " unless somebody retries it."
)
DEAD: Final = N_(
    "The callback to {subscriber} ({state}) is dead after {attempt} attempts, the last of which failed at {at}"
    " ({detail}); it is not sent again unless somebody retries it."
)
DEAD_AGAIN: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and could not be sent once more: attempt"
    " {attempt} at {at} failed ({detail}); it is not sent again unless somebody retries it."
)
NOT_SENT_AGAIN: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and was not sent once more: the subscriber"
    " was removed; it is not sent again unless somebody retries it."
)
INTERRUPTED: Final = N_(
    "The callback to {subscriber} ({state}) was interrupted in an attempt at {at}; the service makes another as soon as"
    " it comes to it."
)
FAILED: Final = N_(
    "The callback to {subscriber} ({state}) has not gone out: attempt {attempt} at {at} failed ({detail}); the next is"
    " due at {due}."
)
FAILED_AND_DUE: Final = N_(
    "The callback to {subscriber} ({state}) has not gone out: attempt {attempt} at {at} failed ({detail}); the next has"
    " been due since {due}."
)
DUE: Final = N_("The callback to {subscriber} ({state}) has been due since {due}, and has not been sent yet.")
DUE_LATER: Final = N_("The callback to {subscriber} ({state}) goes out at {due}.")
DUE_AGAIN: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and is to be sent once more: it has been due"
    " since {due}."
)
DUE_AGAIN_LATER: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and goes out once more at {due}."
)
FAILED_AGAIN: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and is to be sent once more: attempt"
    " {attempt} at {at} failed ({detail}); the next is due at {due}."
)
FAILED_AGAIN_AND_DUE: Final = N_(
    "The callback to {subscriber} ({state}) was delivered at {delivered}, and is to be sent once more: attempt"
    " {attempt} at {at} failed ({detail}); the next has been due since {due}."
)
UNDER_WAY: Final = N_("An attempt at the callback to {subscriber} ({state}) has been under way since {at}.")
URGENCY: Final = (
    DISABLED,
    NOT_LOADED,
    CIRCUIT_OPEN,
    PROBED,
    INTERRUPTED,
    FAILED,
    FAILED_AND_DUE,
    DUE,
    DUE_LATER,
    UNDER_WAY,
    BEHIND,
    FAILED_AGAIN,
    FAILED_AGAIN_AND_DUE,
    DUE_AGAIN,
    DUE_AGAIN_LATER,
)


def tell_callback(case: Case, callback: CaseCallback, circumstances: Circumstances) -> Sentence:
    """Why the callback is where it is."""
    match callback.status:
        case "delivered":
            return _tell_delivered(callback)
        case "dead":
            return _tell_dead(callback)
    return _tell_pending(case, callback, circumstances)


def _tell_delivered(callback: CaseCallback) -> Sentence:
    at = callback.delivered_at or callback.created_at
    numbers = [each.number for each in callback.attempts if each.outcome == Outcome.DELIVERED]
    number = numbers[0] if numbers else 1
    if len(numbers) > 1:
        return about(DELIVERED_AGAIN, callback, count=len(numbers), attempt=number, at=at)
    if number == 1:
        return about(DELIVERED, callback, at=at)
    return about(DELIVERED_LATER, callback, at=at, attempt=number)


def _tell_dead(callback: CaseCallback) -> Sentence:
    if callback.delivered_at is not None:
        return _tell_dead_again(callback, callback.delivered_at)
    if not callback.attempts:
        return about(NEVER_SENT, callback)
    last = callback.attempts[-1]
    if callback.buried_at is not None:
        return about(BURIED, callback, removed=callback.buried_at, **_of(last))
    text = GIVEN_UP if last.outcome == Outcome.GAVE_UP else DEAD if last.number > 1 else DEAD_AT_ONCE
    return about(text, callback, **_of(last))


def _tell_dead_again(callback: CaseCallback, delivered: datetime) -> Sentence:
    last = callback.attempts[-1] if callback.attempts else None
    if last is None or last.outcome == Outcome.DELIVERED or callback.buried_at is not None:
        return about(NOT_SENT_AGAIN, callback, delivered=delivered)
    return about(DEAD_AGAIN, callback, delivered=delivered, **_of(last))


def _of(attempt: CaseAttempt) -> dict[str, Value]:
    return {"attempt": attempt.number, "at": attempt.at, "detail": attempt.detail or attempt.outcome}


def _tell_pending(case: Case, callback: CaseCallback, circumstances: Circumstances) -> Sentence:
    claimed, due = callback.claimed_at, callback.due_at or circumstances.now
    if claimed and due > circumstances.now:
        return about(UNDER_WAY, callback, at=claimed)
    if kept := tell_kept(case, callback, circumstances):
        return kept
    if claimed:
        return about(INTERRUPTED, callback, at=claimed)
    return _tell_unsent(callback, due, is_due=due <= circumstances.now)


def _tell_unsent(callback: CaseCallback, due: datetime, *, is_due: bool) -> Sentence:
    last, delivered = callback.attempts[-1] if callback.attempts else None, callback.delivered_at
    failed = last if last and last.outcome != Outcome.DELIVERED else None
    text = _UNSENT[delivered is not None, failed is not None, is_due]
    values: dict[str, Value] = {} if delivered is None else {"delivered": delivered}
    return about(text, callback, due=due, **values, **(_of(failed) if failed else {}))


_UNSENT: Final = {
    (False, False, False): DUE_LATER,
    (False, False, True): DUE,
    (False, True, False): FAILED,
    (False, True, True): FAILED_AND_DUE,
    (True, False, False): DUE_AGAIN_LATER,
    (True, False, True): DUE_AGAIN,
    (True, True, False): FAILED_AGAIN,
    (True, True, True): FAILED_AGAIN_AND_DUE,
}
"""By whether it was delivered before, whether it has failed since, and whether it is due."""
