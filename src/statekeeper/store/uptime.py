"""Since when the service has been listening, in one row.

An interruption of more than ten seconds (the service down, paused, or without its store) counts as no waiting: a gap is
given up on no earlier than the end of the last one plus the timeout. A crash loop still closes gaps, since a restart
within ten seconds is no interruption. Any node's tick counts.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select, update

from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import UptimeRow, table

INTERRUPTION: Final = timedelta(seconds=10)
TICK: Final = timedelta(seconds=2)
_uptime: Final = table(UptimeRow)


def tick(connection: Connection, now: datetime) -> datetime:
    """Note that the service lives, and return since when it has without an interruption."""
    row = connection.execute(select(_uptime)).one_or_none()
    if row is None:
        insert_missing(connection, _uptime, [{"uptime_id": 1, "up_since": now, "last_tick": now}])
        return now
    up_since: datetime = now if now - row.last_tick > INTERRUPTION else row.up_since
    if now - row.last_tick >= TICK:
        connection.execute(update(_uptime).values(up_since=up_since, last_tick=now))
    return up_since
