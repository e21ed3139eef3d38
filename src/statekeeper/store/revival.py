"""Retry, many at once: what is dead of one subscriber's callbacks is due again, a page of the dead at a time.

A page is so many dead callbacks, the oldest first, whosesoever they are: it costs the same however few are wanted. One
that dies again meanwhile stands behind the place, and is not sent a third time.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from statekeeper.core.recovery import Recovery
from statekeeper.store.dead_letters import revive_dead
from statekeeper.store.pages import Portion, onward, write_cursor
from statekeeper.store.tables import CallbackRow, table

_callbacks: Final = table(CallbackRow)


def count(connection: Connection, recovery: Recovery) -> int:
    """How many callbacks are to be sent again."""
    wanted = (*_dead(recovery), _callbacks.c.subscriber == recovery.subscriber.name)
    found: int = connection.execute(select(func.count()).select_from(_callbacks).where(*wanted)).scalar_one()
    return found


def advance(connection: Connection, recovery: Recovery, place: str | None, limit: int, now: datetime) -> Portion:
    """Revive what is wanted of the next page."""
    rows = connection.execute(page(recovery, place, limit)).all()
    wanted = [row.callback_id for row in rows if row.subscriber == recovery.subscriber.name]
    done = revive_dead(connection, wanted, now)
    return Portion(done, write_cursor((rows[-1].created_at, rows[-1].callback_id)) if len(rows) == limit else None)


def page(recovery: Recovery, place: str | None, limit: int) -> Any:  # noqa: ANN401 -- a SELECT of three columns
    """The dead behind the place, the oldest first."""
    time, key = _callbacks.c.created_at, _callbacks.c.callback_id
    query = select(time, key, _callbacks.c.subscriber).where(*_dead(recovery, place))
    return query.order_by(time, key).limit(limit)


def _dead(recovery: Recovery, place: str | None = None) -> tuple[ColumnElement[bool], ...]:
    time, key = _callbacks.c.created_at, _callbacks.c.callback_id
    return _callbacks.c.status == "dead", *onward(time, key, recovery.since, place), time < recovery.until
