"""Dead letters: callbacks that no attempt will be made at, kept until somebody asks for them to be sent after all.

An attempt dies of its schedule, which is the outbox's business. Here all that is owed to a subscriber who is no more
dies at once, and the dead are due again; so is one that was delivered, if somebody asks for it to be sent once more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, select, update

from statekeeper.core.acts import Resend, Retry, Seen
from statekeeper.core.errors import AlreadyDelivered, CallbackMoved, NotDelivered, NotFound
from statekeeper.store import turns
from statekeeper.store.attempts import CLAIM, Claim, record_interrupted
from statekeeper.store.tables import CallbackRow, table

_callbacks: Final = table(CallbackRow)


def bury(connection: Connection, subscriber: str, limit: int, now: datetime) -> int:
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
        connection.execute(buried.values(status="dead", due_at=None, claimed_at=None, buried_at=now))
    return len(rows)


def revive(connection: Connection, act: Retry | Resend, now: datetime) -> Any:  # noqa: ANN401 -- a row has no type
    """Make a callback due at once, with a fresh schedule; attempt numbers go on. Returns it as it was.

    One that was delivered is sent under its old id, for its receiver to know it by. Raises what `look` does, and
    `CallbackMoved`.
    """
    row = look(connection, act.callback_id, delivered=isinstance(act, Resend), lock=True)
    if act.expected not in {None, Seen(row.status, row.attempt)}:
        raise CallbackMoved(act.callback_id)
    _revive(connection, [row], now)
    turns.release(connection, row.session_id, row.ordinal, row.subscriber, now)
    return row


def look(connection: Connection, callback_id: UUID, *, delivered: bool, lock: bool = False) -> Any:  # noqa: ANN401
    """A callback as it stands before it is sent once more. `NotFound`, `AlreadyDelivered`, `NotDelivered`."""
    query = _revivable([callback_id])
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("callback", callback_id)
    if (row.status == "delivered") is not delivered:
        raise NotDelivered(callback_id) if delivered else AlreadyDelivered(callback_id)
    return row


def revive_dead(connection: Connection, callback_ids: Sequence[UUID], now: datetime) -> int:
    """Revive those of these that are dead, and return how many there were."""
    dead = _revivable(callback_ids).where(_callbacks.c.status == "dead").with_for_update()
    rows = connection.execute(dead).all() if callback_ids else []
    _revive(connection, rows, now)
    return len(rows)


def _revivable(callback_ids: Sequence[UUID]) -> Select[Any]:
    query = select(*CLAIM, _callbacks.c.status, _callbacks.c.claimed_at, _callbacks.c.state)
    return query.where(_callbacks.c.callback_id.in_(callback_ids))


def _revive(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    _interrupt(connection, rows)
    due = {"status": "pending", "tries": 0, "due_at": now, "claimed_at": None, "buried_at": None}
    revived = update(_callbacks).where(_callbacks.c.callback_id.in_([row.callback_id for row in rows]))
    if rows:
        connection.execute(revived.values(due))


def _interrupt(connection: Connection, rows: Sequence[Any]) -> None:
    """Whoever is at an attempt at one of these is too late for anything but a delivery."""
    record_interrupted(connection, ((Claim(*row[: len(CLAIM)]), row.claimed_at) for row in rows))
