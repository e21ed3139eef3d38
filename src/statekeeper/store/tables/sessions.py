"""What happened to a session: its snapshot, its events with all their deliveries, and its steps.

`arrival` numbers a session's deliveries from 1, repeats included: it orders what one batch wrote.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String, Text, text
from sqlmodel import Field

from statekeeper.store.tables.base import Table, short

# Words of both engines. A query that says the same words may use the index; SQLite compares them and does not reason.
WITH_GAP: Final = "NOT contiguous OR earliest_held_at IS NOT NULL"
CONTRADICTED: Final = "contradicted"
LISTED: Final = ("first_seen_at", "session_id", "state", "environment", "flow_id")
_LIST: Final = JSON(none_as_null=True)
_NO_CONFLICT: Final = text("disposition <> 'conflict'")
_WAITING: Final = text("earliest_held_at IS NOT NULL")
_ENDED: Final = text("ended_at IS NOT NULL")
_WITH_GAP: Final = text(WITH_GAP)
_CONTRADICTED: Final = text(CONTRADICTED)
_AN_END: Final = text("terminal")
_AN_END_IN_SQLITE: Final = text("terminal = 1")


class SessionRow(Table, table=True):
    """One session: its snapshot, and what a query shows of it.

    The indexes of what is `LISTED` have all that a person filters by, so that a walk passes over what does not fit
    without reading its row.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_updated_at", "updated_at", "session_id"),
        Index("ix_sessions_state", "state", "updated_at", "session_id"),
        Index("ix_sessions_gap", "earliest_held_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_sessions_ended_at", "ended_at", "session_id", sqlite_where=_ENDED, postgresql_where=_ENDED),
        Index("ix_sessions_seen", *LISTED),
        Index("ix_sessions_origin", "environment", "flow_id", "first_seen_at", "session_id", "state"),
        Index("ix_sessions_with_gap", *LISTED, sqlite_where=_WITH_GAP, postgresql_where=_WITH_GAP),
        Index("ix_sessions_contradicted", *LISTED, sqlite_where=_CONTRADICTED, postgresql_where=_CONTRADICTED),
    )

    session_id: UUID = Field(primary_key=True)
    state: str = short(nullable=False)
    terminal: bool = False
    cursor: int = 0
    contiguous: bool = True
    contradicted: bool = False
    given_up: list[int] | None = Field(default=None, sa_type=_LIST)
    inferred: list[str] | None = Field(default=None, sa_type=_LIST)
    held: list[int] = Field(default_factory=list, sa_type=JSON, nullable=False)
    applied: list[int] = Field(default_factory=list, sa_type=JSON, nullable=False)
    ordinal: int = 0
    arrivals: int = 0
    flow_id: str | None = short()
    environment: str | None = short()
    decided_flow_id: str | None = short()
    decided_environment: str | None = short()
    last_step_id: str | None = short()
    last_step_type: str | None = short()
    last_step_status: str | None = short()
    earliest_held_at: datetime | None = None
    chart_id: str = short(nullable=False)
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
    event_id: str = short(nullable=False)
    name: str = short(nullable=False)
    sequence: int
    digest: bytes = Field(sa_type=LargeBinary(32))
    disposition: str = Field(sa_type=String(16))
    flow_id: str | None = short()
    environment: str | None = short()
    session_status: str | None = short()
    last_step_id: str | None = short()
    last_step_type: str | None = short()
    last_step_status: str | None = short()
    version: str | None = short()
    deliver_id: str | None = short()
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
    deliver_id: str | None = short()
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
    source: str = short(nullable=False)
    target: str = short(nullable=False)
    trigger: str = short(nullable=False)
    cause: str = Field(sa_type=String(16))
    event_id: str | None = short()
    sequence: int | None = None
    at: datetime
    reason: str | None = Field(default=None, sa_type=Text)
    terminal: bool = False
    position: int | None = Field(default=None, sa_type=BigInteger)
    ends: int | None = Field(default=None, sa_type=BigInteger)
