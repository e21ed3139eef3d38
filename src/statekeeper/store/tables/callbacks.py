"""What subscribers are owed, how it went, and what is to be sent again: the queue that the relay works off."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlmodel import Field

from statekeeper.store.tables.base import Table, short

_PENDING: Final = text("status = 'pending'")
_DEAD: Final = text("status = 'dead'")
_UNFINISHED: Final = text("finished_at IS NULL")


class CallbackRow(Table, table=True):
    """One callback owed to one subscriber, as a row of a queue.

    A notice is a callback as well: it belongs to no session, so that `session_id` is the notice's own id, `ordinal` 0,
    and `state` its type.

    `attempt` is the fence: it only grows, by one a claim. `tries` is the place in the schedule: it counts settled
    failures and is 0 again on a retry. `due_at` stands while it is pending, and never otherwise; `claimed_at` while an
    attempt has been claimed and not settled; `buried_at` is when it died with its subscriber, and not of its attempts.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("uq_callbacks_callback_id", "callback_id", unique=True),
        Index("ix_callbacks_due", "subscriber", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_callbacks_status", "status", "created_at", "callback_id"),
        Index("ix_callbacks_subscriber", "subscriber", "status", "created_at", "callback_id"),
        Index("ix_callbacks_dead", "session_id", sqlite_where=_DEAD, postgresql_where=_DEAD),
    )

    session_id: UUID = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    subscriber: str = Field(sa_type=String(255), primary_key=True)
    callback_id: UUID
    state: str = short(nullable=False)
    body: str = Field(sa_type=Text)
    status: str = Field(sa_type=String(16))
    attempt: int = 0
    tries: int = 0
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    created_at: datetime
    delivered_at: datetime | None = None
    receipt: str | None = Field(default=None, sa_type=String(200))
    buried_at: datetime | None = None


class AttemptRow(Table, table=True):
    """One attempt at one callback, over."""

    __tablename__ = "attempts"

    session_id: UUID = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    subscriber: str = Field(sa_type=String(255), primary_key=True)
    number: int = Field(primary_key=True)
    at: datetime
    duration_ms: int
    outcome: str = Field(sa_type=String(16))
    detail: str | None = Field(default=None, sa_type=Text)
    response: str | None = Field(default=None, sa_type=Text)


class RecoveryRow(Table, table=True):
    """A mass of callbacks to be sent again or after the fact, worked off in portions that each remember their place."""

    __tablename__ = "recoveries"
    __table_args__ = (
        Index(
            "uq_recoveries_unfinished",
            "kind",
            "subscriber",
            unique=True,
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
    )

    recovery_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=String(16))
    subscriber: str = Field(sa_type=String(255))
    since: datetime
    until: datetime
    total: int
    done: int = 0
    place: str | None = short()
    created_at: datetime
    finished_at: datetime | None = None
