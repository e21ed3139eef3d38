"""The endpoints' health, a row for each that has ever failed; whoever has no row is healthy.

A row is read under a lock before it is changed, so that no node loses what another one counted. On PostgreSQL that is
one lock for all rows, held until the commit: a row that is missing cannot be locked, and two batches that each lock
several rows in an order of their own would wait for each other.

Without the lock, all rows are read once a transaction and remembered until its end, since one transaction settles many
attempts. What another node commits meanwhile is seen no later than by the next.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RootTransaction, Row, bindparam, delete, func, select

from statekeeper.core import health as core
from statekeeper.core.health import HEALTHY, Health, HealthPolicy, State
from statekeeper.core.notices import endpoint_disabled, endpoint_recovered
from statekeeper.core.retry import Attempt
from statekeeper.core.subscribers import Subscriber
from statekeeper.store import notices
from statekeeper.store.statements import is_postgres, upsert
from statekeeper.store.tables import HealthRow, table

_health: Final = table(HealthRow)
_SEEN: Final = "statekeeper.health"
_LOCK: Final = 0x6865616C7468  # "health", among PostgreSQL's advisory locks


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a transaction has read, and written since."""

    transaction: RootTransaction | None
    healths: dict[str, Health]


def read_all(connection: Connection) -> dict[str, Health]:
    """The health of every endpoint that has a row."""
    return {row.name: _read(row) for row in connection.execute(_ALL)}


def seen(connection: Connection) -> dict[str, Health]:
    """As `read_all`, read once in this transaction."""
    transaction = connection.get_transaction()
    known: _Seen | None = connection.info.get(_SEEN)
    if known is None or known.transaction is not transaction:
        known = connection.info[_SEEN] = _Seen(transaction, read_all(connection))
    return known.healths


def read(connection: Connection, name: str) -> Health:
    row = connection.execute(_ONE, {"of_name": name}).one_or_none()
    return HEALTHY if row is None else _read(row)


def read_locked(connection: Connection, name: str) -> Health:
    """As `read`, and nobody else changes it before this transaction ends; on SQLite, that is so anyway."""
    if is_postgres(connection):
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return read(connection, name)


def save(connection: Connection, name: str, health: Health, now: datetime) -> None:
    """Write what followed from a health that was read under the lock."""
    seen(connection)[name] = health
    upsert(connection, _health, [{"name": name, **asdict(health), "updated_at": now}])


def observe(
    connection: Connection, name: str, attempt: Attempt, now: datetime, policy: HealthPolicy
) -> core.Change | None:
    """Take note of an attempt that is over. A healthy endpoint's delivery costs next to nothing."""
    before = seen(connection).get(name, HEALTHY)
    if core.observe(before, attempt, now, policy)[0] == before:
        return None
    health, change = core.observe(read_locked(connection, name), attempt, now, policy)
    save(connection, name, health, now)
    return change


def enable(connection: Connection, name: str, now: datetime, tell: Iterable[Subscriber] = ()) -> State | None:
    """Let callbacks go out again, at once what is due. `tell` are who may be told.

    Returns what it was, or None if no callback was held back, and nothing has changed.
    """
    health = read_locked(connection, name)
    if health.state is State.CLOSED:
        return None
    save(connection, name, core.enable(now), now)
    since = health.failing_since or health.disabled_at
    notices.post(connection, endpoint_recovered(name, since, now), tell, now, now)
    return health.state


def disable(
    connection: Connection, name: str, reason: str, now: datetime, tell: Iterable[Subscriber] = ()
) -> State | None:
    """Hold back all callbacks until somebody enables it.

    Returns what it was, or None if it is disabled already, and nothing has changed: its reason stays as well.
    """
    health = read_locked(connection, name)
    if health.state is State.DISABLED:
        return None
    save(connection, name, core.disable(health, reason, now), now)
    notices.post(connection, endpoint_disabled(name, reason, now), tell, now, now)
    return health.state


def renew(connection: Connection, name: str, now: datetime) -> State:
    """What bears this name is another endpoint from now on: what was claimed for the one before says nothing of it.

    Returns what that one was.
    """
    before = read_locked(connection, name)
    save(connection, name, core.enable(now), now)
    return before.state


def forget(connection: Connection, name: str) -> None:
    """The endpoint is no more: one that bears its name later begins healthy."""
    seen(connection).pop(name, None)
    connection.execute(delete(_health).where(_health.c.name == name))


def _read(row: Row[tuple[object, ...]]) -> Health:
    return Health(*row[1:])


_COLUMNS: Final = (_health.c.name, *(_health.c[each.name] for each in fields(Health)))
_ALL: Final = select(*_COLUMNS)
_ONE: Final = select(*_COLUMNS).where(_health.c.name == bindparam("of_name"))
