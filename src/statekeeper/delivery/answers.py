"""What a subscriber made of one attempt, before anybody decides what follows from it.

A detail ends in the store, in the history and in logs: it is cut to a bounded length, and what cannot be stored (a NUL,
an unpaired surrogate) is taken out. A response ends in the store and in the history, but never in a log: what strangers
answer may hold anything. A receipt is kept as it was given or not at all, since half of one finds nothing.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from statekeeper.core.retry import Attempt, Outcome

MAX_DETAIL: Final = 500
MAX_RECEIPT: Final = 200
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
    response: str | None = field(default=None, repr=False)
    receipt: str | None = None

    def as_attempt(self, at: datetime, duration_ms: int) -> Attempt:
        asked = self.not_before, self.retry_in
        return Attempt(self.outcome, at, duration_ms, self.detail, *asked, self.response, self.receipt)


DELIVERED: Final = Answer(Outcome.DELIVERED)
TIMED_OUT: Final = Answer(Outcome.FAILED, TIMEOUT)


def delivered(receipt: object) -> Answer:
    """The delivery that a function's return amounts to: with a receipt, if what it returned is one."""
    kept = as_receipt(receipt)
    return Answer(Outcome.DELIVERED, receipt=kept) if kept else DELIVERED


def as_receipt(value: object) -> str | None:
    """A text of 1 to 200 characters that can be stored as it is; None for all else.

    It must be a plain one: what a user's own kind of text does when it is measured or written down, nobody knows.
    """
    if type(value) is not str or not 0 < len(value) <= MAX_RECEIPT:
        return None
    return None if _UNSTORABLE.search(value) else value


def find_receipt(body: bytes) -> str | None:
    """The receipt in a JSON object, as its member `receipt`; None if the body is anything else."""
    try:
        document: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return as_receipt(document.get("receipt")) if isinstance(document, dict) else None


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


def storable(text: str, most: int = MAX_DETAIL) -> str:
    return _UNSTORABLE.sub("", text[:most])
