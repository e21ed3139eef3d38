"""Acts whose transaction is one function of the store, each with its entry in the audit trail.

A consumer that moves on to a position behind what it has dealt with acknowledges: that is its work and no act of a
person's, and would fill a trail that nobody can shorten. To make one, to move it back or to the end, to change what it
is of, and to forget it are acts.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from statekeeper.core.acts import Actor, Deed
from statekeeper.core.instants import rfc3339
from statekeeper.core.recovery import Recovery, RecoveryKind
from statekeeper.store import consumers, recovery
from statekeeper.store.audit import Record, record
from statekeeper.store.consumers import Placed, Placement

_RECOVERIES: Final = {RecoveryKind.RETRY: Deed.RECOVER, RecoveryKind.BACKFILL: Deed.BACKFILL}


def begin_recovery(
    connection: Connection, recovery_id: UUID, wanted: Recovery, total: int, actor: Actor, now: datetime
) -> None:
    """`recovery.begin`, recorded: from when to when, and how many callbacks that is."""
    recovery.begin(connection, recovery_id, wanted, total, now)
    effect = {
        "recoveryId": str(recovery_id),
        "since": rfc3339(wanted.since),
        "until": rfc3339(wanted.until),
        "total": total,
    }
    entry = Record(_RECOVERIES[wanted.kind], subject=wanted.subscriber.name, effect=effect)
    record(connection, actor, entry, now)


def place_consumer(connection: Connection, placement: Placement, actor: Actor, now: datetime) -> bool:
    """`consumers.place`, recorded unless it only acknowledges; whether the consumer is new."""
    placed = consumers.place(connection, placement, now)
    if placement.position is None or not placed.acknowledged:
        entry = Record(Deed.CONSUMER_PLACE, subject=placement.name, effect=_effect(placed))
        record(connection, actor, entry, now)
    return placed.new


def remove_consumer(connection: Connection, name: str, actor: Actor, now: datetime) -> None:
    """`consumers.remove`, recorded."""
    consumers.remove(connection, name)
    record(connection, actor, Record(Deed.CONSUMER_REMOVE, subject=name), now)


def _effect(placed: Placed) -> dict[str, str | None]:
    was = None if placed.was is None else str(placed.was)
    return {"was": was, "position": str(placed.position), "transitions": "terminal" if placed.terminal else "all"}
