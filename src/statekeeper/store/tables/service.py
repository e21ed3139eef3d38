"""What the service itself keeps: charts and keys, which prove a state years later, refusals, and its own pulse."""

from datetime import datetime

from sqlalchemy import JSON, String, Text
from sqlmodel import Field

from statekeeper.store.tables.base import Table


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


class MinuteRow(Table, table=True):
    """What one node did in one minute: events by disposition, refusals by reason, and how long answers of 200 took.

    `latencies` has how many answers fell into each bucket of `metrics.ACK_SECONDS`, in its order.
    """

    __tablename__ = "minutes"

    minute: datetime = Field(primary_key=True)
    node: str = Field(sa_type=String(64), primary_key=True)
    events: dict[str, int] = Field(sa_type=JSON)
    refusals: dict[str, int] = Field(sa_type=JSON)
    latencies: list[int] = Field(sa_type=JSON)
