"""Attempts at callbacks: each is claimed by its number, and recorded once it is over.

One that was claimed and never settled is recorded as interrupted, since nobody knows whether it arrived.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from statekeeper.core.retry import Attempt, Outcome
from statekeeper.store.statements import insert_missing, upsert
from statekeeper.store.tables import AttemptRow, CallbackRow, table

_callbacks: Final = table(CallbackRow)
_attempts: Final = table(AttemptRow)
INTERRUPTED: Final = "interrupted"
CLAIM: Final = (
    _callbacks.c.callback_id,
    _callbacks.c.session_id,
    _callbacks.c.ordinal,
    _callbacks.c.subscriber,
    _callbacks.c.body,
    _callbacks.c.attempt,
    _callbacks.c.tries,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt, claimed: `number` counts all attempts from 1, `tries` the failures settled in this schedule."""

    callback_id: UUID
    session_id: UUID
    ordinal: int
    subscriber: str
    body: str
    number: int
    tries: int

    @property
    def is_notice(self) -> bool:
        return self.ordinal == 0

    @property
    def key(self) -> dict[str, Any]:
        """The primary key of its callback."""
        return {"session_id": self.session_id, "ordinal": self.ordinal, "subscriber": self.subscriber}


def record_interrupted(connection: Connection, claims: Iterable[tuple[Claim, datetime | None]]) -> None:
    """Whoever claimed these, at that time, has not settled them: they count as over, and their fate is unknown."""
    rows = [
        claim.key
        | {"number": claim.number, "at": at, "duration_ms": 0, "outcome": Outcome.FAILED, "detail": INTERRUPTED}
        for claim, at in claims
        if at is not None
    ]
    if rows:
        insert_missing(connection, _attempts, rows)


def record(connection: Connection, claim: Claim, attempt: Attempt) -> None:
    """An attempt that had been taken for interrupted, and came back, is recorded as what it was."""
    said = {
        "at": attempt.at,
        "duration_ms": attempt.duration_ms,
        "outcome": attempt.outcome,
        "detail": attempt.detail,
        "response": attempt.response,
    }
    upsert(connection, _attempts, [claim.key | {"number": claim.number} | said])
