"""What waits in the store, counted along indexes: events held behind a gap, and callbacks by whom they are owed to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select

from statekeeper.store.distinct import leap
from statekeeper.store.tables import CallbackRow, SessionRow, table

_sessions: Final = table(SessionRow)
_callbacks: Final = table(CallbackRow)
_MOST_SUBSCRIBERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Owed:
    """How many callbacks of one subscriber are pending and dead, and when the first of the pending ones is due."""

    subscriber: str
    pending: int
    dead: int
    due_at: datetime | None


def held(connection: Connection) -> tuple[int, datetime | None]:
    """How many sessions hold events, and since when the first of them does."""
    since = _sessions.c.earliest_held_at
    number, first = connection.execute(select(func.count(), func.min(since)).where(since.is_not(None))).one()
    return number, first


def owed(connection: Connection) -> list[Owed]:
    """What every subscriber is owed that was ever owed anything, by their names."""
    return [Owed(*row) for row in connection.execute(_OWED)]


def _counted() -> Select[Any]:
    """From one subscriber to the next along the index, and for each a count of what is not delivered."""
    names = leap(_callbacks.c.subscriber, most=_MOST_SUBSCRIBERS).subquery()

    def of(status: str, what: ColumnElement[Any]) -> Any:  # noqa: ANN401 -- a scalar subquery, labelled
        mine = (_callbacks.c.subscriber == names.c.value, _callbacks.c.status == literal_column(f"'{status}'"))
        return select(what).select_from(_callbacks).where(*mine).correlate(names).scalar_subquery()

    due = of("pending", func.min(_callbacks.c.due_at))
    counts = (of("pending", func.count()), of("dead", func.count()), due)
    return select(names.c.value, *counts).order_by(names.c.value)


_OWED: Final = _counted()
