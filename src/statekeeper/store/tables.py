"""The tables. Uniqueness is the database's job, in the transaction that writes.

Every primary key of what belongs to a session begins with `session_id`, so that the tables can be sharded by session.
They are ordinary rowid tables on SQLite: long tokens append instead of splitting pages. Times are aware, in UTC, cut to
milliseconds. `arrival` numbers a session's deliveries from 1, repeats included: it orders what one batch wrote.
"""

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import sqlalchemy
from sqlalchemy import JSON, BigInteger, Index, LargeBinary, MetaData, String, Text, text
from sqlmodel import Field, SQLModel

_NO_CONFLICT = text("disposition <> 'conflict'")
_WAITING = text("earliest_held_at IS NOT NULL")
_PENDING = text("status = 'pending'")
_ENDED = text("ended_at IS NOT NULL")
_UNFINISHED = text("finished_at IS NULL")
_AN_END, _AN_END_IN_SQLITE = text("terminal"), text("terminal = 1")


_LIST = JSON(none_as_null=True)


def _short(*, nullable: bool = True) -> Any:  # noqa: ANN401 -- SQLModel's Field is untyped
    return Field(default=None, sa_type=String(255), nullable=nullable)


class Table(SQLModel):
    """The base of all tables; their names in constraints are fixed, so that migrations can name them."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table(model: type[Table]) -> sqlalchemy.Table:
    """The Core table under a SQLModel class: statements are built on it."""
    return cast("sqlalchemy.Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel adds it


class SessionRow(Table, table=True):
    """One session: its snapshot, and what a query shows of it."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_updated_at", "updated_at", "session_id"),
        Index("ix_sessions_state", "state", "updated_at", "session_id"),
        Index("ix_sessions_gap", "earliest_held_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_sessions_ended_at", "ended_at", "session_id", sqlite_where=_ENDED, postgresql_where=_ENDED),
    )

    session_id: UUID = Field(primary_key=True)
    state: str = _short(nullable=False)
    terminal: bool = False
    cursor: int = 0
    contiguous: bool = True
    given_up: list[int] | None = Field(default=None, sa_type=_LIST)
    inferred: list[str] | None = Field(default=None, sa_type=_LIST)
    held: list[int] = Field(default_factory=list, sa_type=JSON, nullable=False)
    applied: list[int] = Field(default_factory=list, sa_type=JSON, nullable=False)
    ordinal: int = 0
    arrivals: int = 0
    flow_id: str | None = _short()
    environment: str | None = _short()
    decided_flow_id: str | None = _short()
    decided_environment: str | None = _short()
    last_step_id: str | None = _short()
    last_step_type: str | None = _short()
    last_step_status: str | None = _short()
    earliest_held_at: datetime | None = None
    chart_id: str = _short(nullable=False)
    chart_version: str = Field(sa_type=String(16))
    first_seen_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


class EventRow(Table, table=True):
    """One distinct event, or one conflicting claim, with the token that proves it; its first delivery is part of it."""

    __tablename__ = "events"
    __table_args__ = (
        Index("uq_events_facts", "session_id", "event_id", "digest", unique=True),
        Index(
            "uq_events_event_id",
            "session_id",
            "event_id",
            unique=True,
            sqlite_where=_NO_CONFLICT,
            postgresql_where=_NO_CONFLICT,
        ),
        Index(
            "uq_events_sequence",
            "session_id",
            "sequence",
            unique=True,
            sqlite_where=_NO_CONFLICT,
            postgresql_where=_NO_CONFLICT,
        ),
    )

    session_id: UUID = Field(primary_key=True)
    arrival: int = Field(primary_key=True)
    event_id: str = _short(nullable=False)
    name: str = _short(nullable=False)
    sequence: int
    digest: bytes = Field(sa_type=LargeBinary(32))
    disposition: str = Field(sa_type=String(16))
    flow_id: str | None = _short()
    environment: str | None = _short()
    session_status: str | None = _short()
    last_step_id: str | None = _short()
    last_step_type: str | None = _short()
    last_step_status: str | None = _short()
    version: str | None = _short()
    deliver_id: str | None = _short()
    sent_at: datetime | None = None
    received_at: datetime
    token: str = Field(sa_type=Text)
    key_thumbprint: str = Field(sa_type=String(64))


class DeliveryRow(Table, table=True):
    """A repeated delivery of the event that came as `event_arrival`."""

    __tablename__ = "deliveries"

    session_id: UUID = Field(primary_key=True)
    arrival: int = Field(primary_key=True)
    event_arrival: int
    deliver_id: str | None = _short()
    received_at: datetime


class TransitionRow(Table, table=True):
    """One step of a session, in order from 1; an inferred one has no event until a late one confirms it.

    `position` is its place in the total order of all steps, without a gap: whoever sees a position has seen all before.
    `ends` is how many of the steps up to it are terminal, itself included, so that those in between are a subtraction.
    """

    __tablename__ = "transitions"
    __table_args__ = (
        Index("uq_transitions_position", "position", unique=True),
        Index("ix_transitions_ends", "position", sqlite_where=_AN_END_IN_SQLITE, postgresql_where=_AN_END),
    )

    session_id: UUID = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    source: str = _short(nullable=False)
    target: str = _short(nullable=False)
    trigger: str = _short(nullable=False)
    cause: str = Field(sa_type=String(16))
    event_id: str | None = _short()
    sequence: int | None = None
    at: datetime
    reason: str | None = Field(default=None, sa_type=Text)
    terminal: bool = False
    position: int | None = Field(default=None, sa_type=BigInteger)
    ends: int | None = Field(default=None, sa_type=BigInteger)


class FeedHeadRow(Table, table=True):
    """One row: the last position given to a step, and how many ends there are up to it.

    Who holds its lock is the only one about to commit steps.
    """

    __tablename__ = "feed_heads"

    feed_id: int = Field(default=1, primary_key=True)
    position: int = Field(default=0, sa_type=BigInteger)
    ends: int = Field(default=0, sa_type=BigInteger)


class FeedConsumerRow(Table, table=True):
    """A named consumer of the feed, and the position up to which it has taken note; `terminal` if of ends only."""

    __tablename__ = "feed_consumers"

    name: str = Field(sa_type=String(255), primary_key=True)
    position: int = Field(default=0, sa_type=BigInteger)
    terminal: bool = True
    created_at: datetime
    updated_at: datetime


class CallbackRow(Table, table=True):
    """One callback owed to one subscriber, as a row of a queue.

    A notice is a callback as well: it belongs to no session, so that `session_id` is the notice's own id, `ordinal` 0,
    and `state` its type.

    `attempt` is the fence: it only grows, by one a claim. `tries` is the place in the schedule: it counts settled
    failures and is 0 again on a retry. `claimed_at` stands while an attempt has been claimed and not settled.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("uq_callbacks_callback_id", "callback_id", unique=True),
        Index("ix_callbacks_due", "subscriber", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_callbacks_status", "status", "created_at", "callback_id"),
    )

    session_id: UUID = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    subscriber: str = Field(sa_type=String(255), primary_key=True)
    callback_id: UUID
    state: str = _short(nullable=False)
    body: str = Field(sa_type=Text)
    status: str = Field(sa_type=String(16))
    attempt: int = 0
    tries: int = 0
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    created_at: datetime
    delivered_at: datetime | None = None
    receipt: str | None = Field(default=None, sa_type=String(200))


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


class EndpointRow(Table, table=True):
    """An endpoint that was made over the API or the command line; `sealed` has its URL and its secrets, encrypted."""

    __tablename__ = "endpoints"

    name: str = Field(sa_type=String(255), primary_key=True)
    sealed: str = Field(sa_type=Text)
    options: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime
    updated_at: datetime


class HealthRow(Table, table=True):
    """How a subscriber out there has fared; one without a row has never failed."""

    __tablename__ = "endpoint_health"

    name: str = Field(sa_type=String(255), primary_key=True)
    failures: int = 0
    failing_since: datetime | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probed_at: datetime | None = None
    pauses: int = 0
    disabled_at: datetime | None = None
    disabled_reason: str | None = _short()
    enabled_at: datetime | None = None
    updated_at: datetime


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
    place: str | None = _short()
    created_at: datetime
    finished_at: datetime | None = None


class ChartRow(Table, table=True):
    """A chart that sessions are pinned to."""

    __tablename__ = "charts"

    chart_id: str = Field(sa_type=String(255), primary_key=True)
    version: str = Field(sa_type=String(16), primary_key=True)
    document: str = Field(sa_type=Text)
    first_used_at: datetime


class SigningKeyRow(Table, table=True):
    """A key that verified something: with the raw token it proves a state years later."""

    __tablename__ = "signing_keys"

    thumbprint: str = Field(sa_type=String(64), primary_key=True)
    kid: str | None = Field(default=None, sa_type=Text)
    jwk: str = Field(sa_type=Text)
    first_used_at: datetime


class KeySetRow(Table, table=True):
    """The last key set that a source gave, for the hours in which it gives none."""

    __tablename__ = "key_sets"

    source: str = Field(sa_type=Text, primary_key=True)
    document: str = Field(sa_type=Text)
    fetched_at: datetime


class RefusalRow(Table, table=True):
    """A verified webhook that was no event: the newest thousand are kept for the operator."""

    __tablename__ = "refusals"

    refusal_id: int | None = Field(default=None, primary_key=True)
    at: datetime
    faults: list[dict[str, str]] = Field(sa_type=JSON)
    token: str = Field(sa_type=Text)
    key_thumbprint: str = Field(sa_type=String(64))


class UptimeRow(Table, table=True):
    """One row: when the service last ticked, and since when it has done so without an interruption."""

    __tablename__ = "uptime"

    uptime_id: int = Field(default=1, primary_key=True)
    up_since: datetime
    last_tick: datetime
