"""Whose turn it is among the callbacks of one session to one subscriber, where they go out one behind the other.

One that is due behind another that is put off for long would be found, and passed over, by every claim until then. It
is parked: due when that other one is, and no earlier, but for a minute at most. Whoever makes that one due at once, or
ends it out of its time, releases what is behind it; what is missed by that, since two did both at once, waits no longer
than that minute.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, exists, func, select, update

from statekeeper.store.statements import execute_many
from statekeeper.store.tables import CallbackRow, table

PORTION: Final = 1000
LONGEST: Final = timedelta(minutes=1)
_callbacks: Final = table(CallbackRow)
_earlier: Final = _callbacks.alias("earlier")
_BEFORE: Final = (  # all that is pending has a time at which it is due, and nothing else has
    _earlier.c.session_id == _callbacks.c.session_id,
    _earlier.c.ordinal < _callbacks.c.ordinal,
    _earlier.c.subscriber == _callbacks.c.subscriber,
    _earlier.c.due_at.is_not(None),  # by its status, PostgreSQL might read all that is pending for each that is due
)
BEHIND_ANOTHER: Final = exists().where(*_BEFORE)


def park(connection: Connection, subscriber: str, now: datetime) -> None:
    """Put off what is due behind one that is put off; what is behind an attempt under way may have its turn soon."""
    found = connection.execute(_BLOCKED, {"of_subscriber": subscriber, "now": now, "most": PORTION}).all()
    latest = now + LONGEST
    rows = [{"parked": callback_id, "until": min(until, latest)} for callback_id, until in found if until > now]
    execute_many(connection, _PARK, rows)


def release(connection: Connection, session_id: UUID, ordinal: int, subscriber: str, now: datetime) -> None:
    """Make due what may have been parked behind this one."""
    connection.execute(
        update(_callbacks)
        .where(
            _callbacks.c.session_id == session_id,
            _callbacks.c.ordinal > ordinal,
            _callbacks.c.subscriber == subscriber,
            _callbacks.c.status == "pending",
            _callbacks.c.claimed_at.is_(None),
            _callbacks.c.tries == 0,
            _callbacks.c.due_at > now,
        )
        .values(due_at=now)
    )


def _latest() -> Any:  # noqa: ANN401 -- a subquery's type says nothing
    return select(func.max(_earlier.c.due_at)).where(*_BEFORE).scalar_subquery()


_BLOCKED: Final = (
    select(_callbacks.c.callback_id, _latest())
    .where(
        _callbacks.c.subscriber == bindparam("of_subscriber"),
        _callbacks.c.status == "pending",
        _callbacks.c.due_at <= bindparam("now"),
        BEHIND_ANOTHER,
        ~exists().where(*_BEFORE, _earlier.c.claimed_at.is_not(None)),
    )
    .order_by(_callbacks.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=_callbacks)
)
_PARK: Final = (
    update(_callbacks).where(_callbacks.c.callback_id == bindparam("parked")).values(due_at=bindparam("until"))
)
