"""Recoveries, worked off in portions: one a transaction, which remembers its place.

A crash between two portions loses nothing and repeats nothing; in the middle of one it undoes that portion, place and
all. Two workers take turns, since a portion is done under the lock of the recovery's row; one that finds it locked is
not kept waiting. Of one kind and subscriber the database lets only one recovery be unfinished.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, text, update

from statekeeper.core.errors import RecoveryUnderWay
from statekeeper.core.recovery import Recovery, RecoveryKind, RecoveryProgress
from statekeeper.core.subscribers import Subscriber
from statekeeper.store import backfill, revival
from statekeeper.store.pages import Portion
from statekeeper.store.statements import insert_missing, is_postgres
from statekeeper.store.tables import RecoveryRow, table

PORTION: Final = 500


class Remedy(Protocol):
    """What is done for one kind of recovery, a page at a time."""

    def count(self, connection: Connection, recovery: Recovery) -> int: ...

    def advance(
        self, connection: Connection, recovery: Recovery, place: str | None, limit: int, now: datetime
    ) -> Portion: ...


_recoveries: Final = table(RecoveryRow)
_REMEDIES: Final[Mapping[RecoveryKind, Remedy]] = {RecoveryKind.RETRY: revival, RecoveryKind.BACKFILL: backfill}
_PATIENCE: Final = text("SET LOCAL statement_timeout = '60s'")


def plan(connection: Connection, recovery: Recovery) -> int:
    """How many callbacks it comes to as things stand. It reads only, but of a large store it reads for seconds."""
    if is_postgres(connection):
        connection.execute(_PATIENCE)
    return _REMEDIES[recovery.kind].count(connection, recovery)


def begin(connection: Connection, recovery_id: UUID, recovery: Recovery, total: int, now: datetime) -> None:
    """Have it worked off from now on; raises `RecoveryUnderWay` where one of its kind and subscriber is unfinished."""
    key = {"kind": recovery.kind.value, "subscriber": recovery.subscriber.name}
    times = {"since": recovery.since, "until": recovery.until, "created_at": now, "finished_at": None}
    row = {"recovery_id": recovery_id, **key, **times, "total": total, "done": 0, "place": None}
    insert_missing(connection, _recoveries, [row])
    standing: UUID = connection.execute(_STANDING, key).scalar_one()
    if standing != recovery_id:
        raise RecoveryUnderWay(standing)


def unfinished(connection: Connection) -> list[tuple[UUID, str]]:
    """The recoveries that are not finished, each with its subscriber; the eldest first."""
    return [(row.recovery_id, row.subscriber) for row in connection.execute(_UNFINISHED)]


def work(
    connection: Connection, recovery_id: UUID, subscriber: Subscriber, now: datetime, portion: int = PORTION
) -> RecoveryProgress | None:
    """Do the next portion; None where another worker is at it. The subscriber is who it is for, as it filters now."""
    row = connection.execute(_LOCK, {"key": recovery_id}).one_or_none()
    if row is None:
        return None
    if row.finished_at is not None:
        return RecoveryProgress(row.done, row.total, finished=True)
    recovery = Recovery(RecoveryKind(row.kind), subscriber, row.since, row.until)
    made = _REMEDIES[recovery.kind].advance(connection, recovery, row.place, portion, now)
    finished = made.place is None
    done = {"done": row.done + made.done, "place": made.place, "finished_at": now if finished else None}
    connection.execute(update(_recoveries).where(_recoveries.c.recovery_id == recovery_id).values(done))
    return RecoveryProgress(row.done + made.done, row.total, finished, made.done)


def end(connection: Connection, subscriber: str, now: datetime) -> None:
    """Whoever it was for is no more: one that bears the name later has nothing to do with it."""
    of_it = (_recoveries.c.subscriber == subscriber, _recoveries.c.finished_at.is_(None))
    connection.execute(update(_recoveries).where(*of_it).values(finished_at=now))


_STANDING: Final = select(_recoveries.c.recovery_id).where(
    _recoveries.c.kind == bindparam("kind"),
    _recoveries.c.subscriber == bindparam("subscriber"),
    _recoveries.c.finished_at.is_(None),
)
_UNFINISHED: Final = (
    select(_recoveries.c.recovery_id, _recoveries.c.subscriber)
    .where(_recoveries.c.finished_at.is_(None))
    .order_by(_recoveries.c.created_at)
)
_LOCK: Final = (
    select(_recoveries).where(_recoveries.c.recovery_id == bindparam("key")).with_for_update(skip_locked=True)
)
