"""Endpoints that were made over the API or the command line, a row each; their names are unique by the primary key.

What they want to be told is in the clear. Where it goes to, and the secrets that sign it, are sealed together with the
name, so that nobody who writes to the store can give one endpoint the secrets of another. A row that opens with none of
the keys is a record without `target`: it is shown, and its callbacks wait. A row that is marked as deleted is an
endpoint no more, and has nothing sealed (`deletion`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from statekeeper.core.errors import CannotBeOpened, NameTaken, NotFound, NotYetFree, TooManyEndpoints
from statekeeper.store.statements import is_postgres
from statekeeper.store.tables import CallbackRow, EndpointRow, table
from statekeeper.trust.sealing import Sealer

MAX_ENDPOINTS: Final = 1000
_endpoints: Final = table(EndpointRow)
_callbacks: Final = table(CallbackRow)
_IS_THERE: Final = _endpoints.c.deleted_at.is_(None)
_TICK: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that signs, for ever or until it expires."""

    text: str = field(repr=False)
    expires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Target:
    """What is sealed: where callbacks go, and what signs them, the newest first."""

    name: str
    url: str = field(repr=False)
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """An endpoint in the store; `target` is None if it cannot be opened. `options` are named as settings name them."""

    name: str
    options: Mapping[str, Any]
    target: Target | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    def opened(self) -> Target:
        """The target; raises `CannotBeOpened`."""
        if self.target is None:
            raise CannotBeOpened(self.name)
        return self.target


@dataclass(frozen=True, slots=True)
class Owed:
    """How many callbacks of a subscriber wait, and how many are sent no more by themselves."""

    pending: int = 0
    dead: int = 0


def read_all(connection: Connection, sealer: Sealer) -> list[Record]:
    """All of them by name, those too that are deleted and still hold their names."""
    return [_read(row, sealer) for row in connection.execute(select(_endpoints).order_by(_endpoints.c.name))]


def names(connection: Connection) -> list[str]:
    """Of all that are not deleted, in one order for all, so that two who lock them do not wait for each other."""
    return sorted(connection.execute(select(_endpoints.c.name).where(_IS_THERE)).scalars())


def versions(connection: Connection) -> frozenset[tuple[str, datetime]]:
    """What changes whenever any of them does: each with the time of its last change, which only grows."""
    rows = connection.execute(select(_endpoints.c.name, _endpoints.c.updated_at))
    return frozenset((row.name, row.updated_at) for row in rows)


def read_locked(connection: Connection, sealer: Sealer, name: str) -> Record:
    """One of them, which nobody else changes before this transaction ends; raises `NotFound`."""
    row = connection.execute(_one(name).where(_IS_THERE).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("endpoint", name)
    return _read(row, sealer)


def create(connection: Connection, sealer: Sealer, target: Target, options: Mapping[str, Any], now: datetime) -> None:
    """Insert one; raises `NameTaken`, `NotYetFree`, `TooManyEndpoints`, or `NoEncryptionKey`."""
    if connection.execute(select(func.count()).select_from(_endpoints).where(_IS_THERE)).scalar_one() >= MAX_ENDPOINTS:
        raise TooManyEndpoints(MAX_ENDPOINTS)
    row = {"name": target.name, "sealed": _seal(sealer, target), "options": dict(options)}
    dialect = postgresql if is_postgres(connection) else sqlite
    statement = dialect.insert(_endpoints).values(**row, created_at=now, updated_at=now).on_conflict_do_nothing()
    if connection.execute(statement).rowcount != 1:
        raise _taken(connection, target.name)


def save(
    connection: Connection, sealer: Sealer, before: Record, target: Target, options: Mapping[str, Any], now: datetime
) -> None:
    """Replace one that was read under the lock; it is sealed anew, with the newest key."""
    changed = {
        "sealed": _seal(sealer, target),
        "options": dict(options),
        "updated_at": later(before.updated_at, now),
    }
    connection.execute(update(_endpoints).where(_endpoints.c.name == before.name).values(**changed))


def later(before: datetime, now: datetime) -> datetime:
    """The time of a change, which is later than that of the change before it, whatever the clock says."""
    return max(now, before + _TICK)


def owed(connection: Connection) -> dict[str, Owed]:
    """What is owed to each subscriber to whom anything is."""
    subscriber, status = _callbacks.c.subscriber, _callbacks.c.status
    query = select(subscriber, status, func.count()).where(status.in_(("pending", "dead"))).group_by(subscriber, status)
    found: dict[str, dict[str, int]] = {}
    for name, of, count in connection.execute(query):
        found.setdefault(name, {})[of] = count
    return {name: Owed(**counts) for name, counts in found.items()}


def _one(name: str) -> Select[Any]:
    return select(_endpoints).where(_endpoints.c.name == name)


def _taken(connection: Connection, name: str) -> NameTaken:
    row = connection.execute(_one(name)).one_or_none()
    return NameTaken(name) if row is None or row.deleted_at is None else NotYetFree(name)


def _seal(sealer: Sealer, target: Target) -> str:
    return sealer.seal(msgspec.json.encode(target))


def _read(row: Any, sealer: Sealer) -> Record:  # noqa: ANN401 -- a row of any select
    return Record(row.name, row.options, _open(row, sealer), row.created_at, row.updated_at, row.deleted_at)


def _open(row: Any, sealer: Sealer) -> Target | None:  # noqa: ANN401 -- same
    """What is sealed, if it opens, can be read, and belongs here."""
    content = sealer.open(row.sealed)
    try:
        target = None if content is None else msgspec.json.decode(content, type=Target)
    except msgspec.DecodeError:
        return None
    return target if target is not None and target.name == row.name else None
