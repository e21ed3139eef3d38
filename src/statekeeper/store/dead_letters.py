"""Dead letters: callbacks that no attempt will be made at, kept until somebody asks for them to be sent after all.

An attempt dies of its schedule, which is the outbox's business. Here all that is owed to a subscriber who is no more
dies at once, and the dead are due again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, select, update

from statekeeper.core.errors import AlreadyDelivered, NotFound
from statekeeper.store import turns
from statekeeper.store.attempts import CLAIM, Claim, record_interrupted
from statekeeper.store.tables import CallbackRow, table

_callbacks: Final = table(CallbackRow)


def bury(connection: Connection, subscriber: str, limit: int) -> int:
    """What a subscriber who is no more was owed becomes dead: kept, and sent if somebody asks; returns how many.

    They are `limit` at most, so that nobody else waits for long. An attempt that is under way counts for nothing but a
    delivery.
    """
    key, claimed_at = _callbacks.c.callback_id, _callbacks.c.claimed_at
    owed = (_callbacks.c.subscriber == subscriber, _callbacks.c.status == "pending")
    rows = connection.execute(select(key, claimed_at).where(*owed).limit(limit).with_for_update()).all()
    if claimed := [row.callback_id for row in rows if row.claimed_at is not None]:
        _interrupt(connection, connection.execute(select(*CLAIM, claimed_at).where(key.in_(claimed))).all())
    if rows:
        buried = update(_callbacks).where(key.in_([row.callback_id for row in rows]))
        connection.execute(buried.values(status="dead", due_at=None, claimed_at=None))
    return len(rows)


def revive(connection: Connection, callback_id: UUID, now: datetime) -> None:
    """Make a callback due at once, with a fresh schedule; attempt numbers go on. `NotFound`, `AlreadyDelivered`."""
    row = connection.execute(_revivable([callback_id])).one_or_none()
    if row is None:
        raise NotFound("callback", callback_id)
    if row.status == "delivered":
        raise AlreadyDelivered(callback_id)
    _revive(connection, [row], now)
    turns.release(connection, row.session_id, row.ordinal, row.subscriber, now)


def revive_dead(connection: Connection, callback_ids: Sequence[UUID], now: datetime) -> int:
    """Revive those of these that are dead, and return how many there were."""
    dead = _revivable(callback_ids).where(_callbacks.c.status == "dead")
    rows = connection.execute(dead).all() if callback_ids else []
    _revive(connection, rows, now)
    return len(rows)


def _revivable(callback_ids: Sequence[UUID]) -> Select[Any]:
    query = select(*CLAIM, _callbacks.c.status, _callbacks.c.claimed_at)
    return query.where(_callbacks.c.callback_id.in_(callback_ids)).with_for_update()


def _revive(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    _interrupt(connection, rows)
    due = {"status": "pending", "tries": 0, "due_at": now, "claimed_at": None}
    revived = update(_callbacks).where(_callbacks.c.callback_id.in_([row.callback_id for row in rows]))
    if rows:
        connection.execute(revived.values(due))


def _interrupt(connection: Connection, rows: Sequence[Any]) -> None:
    """Whoever is at an attempt at one of these is too late for anything but a delivery."""
    record_interrupted(connection, ((Claim(*row[: len(CLAIM)]), row.claimed_at) for row in rows))
