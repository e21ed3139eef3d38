"""What a subscriber made of one attempt, before anybody decides what follows from it.

A detail ends in the store, in the history and in logs: it is cut to a bounded length, and what cannot be stored (a NUL,
an unpaired surrogate) is taken out.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from statekeeper.core.retry import Attempt, Outcome

MAX_DETAIL: Final = 500
TIMEOUT: Final = "timeout"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, and the subscriber's own wish for the next attempt; `error` is for the log only."""

    outcome: Outcome
    detail: str | None = None
    not_before: timedelta | None = None
    retry_in: timedelta | None = None
    error: BaseException | None = None

    def as_attempt(self, at: datetime, duration_ms: int) -> Attempt:
        return Attempt(self.outcome, at, duration_ms, self.detail, self.not_before, self.retry_in)


DELIVERED: Final = Answer(Outcome.DELIVERED)
TIMED_OUT: Final = Answer(Outcome.FAILED, TIMEOUT)


def failed(error: BaseException) -> Answer:
    """The failed attempt that an exception amounts to."""
    return Answer(Outcome.FAILED, describe(error), error=error)


def describe(error: BaseException) -> str:
    """`TypeName: message`, fit to be stored; an exception that cannot even be written down gives its type."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 -- a user's __str__ may raise anything
        message = ""
    kind = type(error).__name__
    return storable(f"{kind}: {message}" if message else kind)


def storable(text: str) -> str:
    return _UNSTORABLE.sub("", text[:MAX_DETAIL])
