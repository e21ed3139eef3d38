"""How an endpoint ends: its row is marked first, and goes last.

From the mark on it is in nobody's roster, and its URL and secrets are wiped. What it was owed dies in portions, and so
does what a node that has not noticed yet goes on owing it. Only then the row goes, and the name with it: what was
promised to one endpoint is never sent to the next of its name. All of that stands in the store, so that any process
goes on with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, select, update

from statekeeper.core.errors import NotFound
from statekeeper.store import dead_letters, recovery
from statekeeper.store.endpoints import later
from statekeeper.store.tables import CallbackRow, EndpointRow, table

PORTION: Final = 500
NOTICED: Final = timedelta(seconds=5)
"""Every node has noticed by then: it looks once a second, and what it was about to write is written."""
_callbacks: Final = table(CallbackRow)
_endpoints: Final = table(EndpointRow)


@dataclass(frozen=True, slots=True)
class Buried:
    """What came of a portion: how many are dead, and whether there are more."""

    count: int = 0
    more: bool = False


def mark(connection: Connection, name: str, now: datetime) -> int:
    """Let it be an endpoint no more, from this transaction on; raises `NotFound`.

    Returns how many callbacks wait for it, and are dead soon.
    """
    row = connection.execute(_locked(name).where(_endpoints.c.deleted_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound("endpoint", name)
    marked = {"deleted_at": now, "sealed": "", "updated_at": later(row.updated_at, now)}
    connection.execute(update(_endpoints).where(_endpoints.c.name == name).values(**marked))
    wait = (_callbacks.c.subscriber == name, _callbacks.c.status == "pending")
    return connection.execute(select(func.count()).select_from(_callbacks).where(*wait)).scalar_one()


def bury(name: str, connection: Connection, now: datetime, *, after: timedelta = timedelta()) -> Buried:
    """A portion of what a deleted one is owed becomes dead, `after` the deletion and no earlier.

    With the last of it the name becomes free, once every node has noticed. What is owed to one that is there is left
    alone.
    """
    row = connection.execute(_locked(name).where(_endpoints.c.deleted_at.is_not(None))).one_or_none()
    if row is None or now < row.deleted_at + after:
        return Buried()
    # A node that had not noticed yet may have begun one. Whoever works at it locks it before its callbacks: so do we.
    recovery.end(connection, name, now)
    count = dead_letters.bury(connection, name, PORTION, now)
    more = count == PORTION
    if not more and now >= row.deleted_at + NOTICED:
        connection.execute(delete(_endpoints).where(_endpoints.c.name == name))
    return Buried(count, more)


def _locked(name: str) -> Select[Any]:
    """Two who bury take turns, for neither to wait for what the other has locked."""
    return select(_endpoints).where(_endpoints.c.name == name).with_for_update()
