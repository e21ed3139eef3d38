"""Who is told over HTTP, as far as the settings do not say so, and how everybody out there fares."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlmodel import Field

from statekeeper.store.tables.base import Table, short


class EndpointRow(Table, table=True):
    """An endpoint that was made over the API or the command line; `sealed` has its URL and its secrets, encrypted.

    One with `deleted_at` is an endpoint no more: it holds its name until all that it was owed is dead.
    """

    __tablename__ = "endpoints"

    name: str = Field(sa_type=String(255), primary_key=True)
    sealed: str = Field(sa_type=Text)
    options: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


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
    disabled_reason: str | None = short()
    enabled_at: datetime | None = None
    updated_at: datetime
