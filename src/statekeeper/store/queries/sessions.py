"""Sessions as they stand. One is asked for most of all, and is found by a statement that is compiled once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import eq, gt, lt
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, bindparam, select

from statekeeper.store import projections as show
from statekeeper.store.lookup import Lookup
from statekeeper.store.pages import DEFAULT_LIMIT, Walk
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import SessionRow, table
from statekeeper.store.views import SessionPage, SessionView

_sessions: Final = table(SessionRow)
_WALK: Final = Walk(show.SESSION, _sessions.c.updated_at, _sessions.c.session_id)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions to list; what is not given fits all. Both times are exclusive."""

    states: tuple[str, ...] = ()
    terminal: bool | None = None
    environment: str | None = None
    flow_id: str | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        tests: tuple[tuple[Column[Any], Callable[[Any, Any], ColumnElement[bool]], object], ...] = (
            (_sessions.c.terminal, eq, self.terminal),
            (_sessions.c.environment, eq, self.environment),
            (_sessions.c.flow_id, eq, self.flow_id),
            (_sessions.c.updated_at, gt, self.updated_after),
            (_sessions.c.updated_at, lt, self.updated_before),
        )
        return [compare(column, wanted) for column, compare, wanted in tests if wanted is not None]


class Sessions:
    """Finds one, and searches for many."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._session = Lookup(reader.engine, select(*show.SESSION).where(_sessions.c.session_id == bindparam("key")))

    async def find(self, session_id: UUID) -> SessionView | None:
        """One session, or None if it is unknown."""
        async with self._reader.connected() as connection:
            row = await self._session.find(connection, session_id)
        return show.session_view(row) if row else None

    async def search(self, wanted: SessionFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> SessionPage:
        """One page of sessions, the newest change first; raises `QueryRefused` for a bad limit or cursor."""
        branches = [_sessions.c.state == state for state in dict.fromkeys(wanted.states)]
        rows = await self._reader.rows(_WALK.page(wanted.conditions(), branches, limit, cursor))
        return SessionPage([show.session_view(row) for row in rows[:limit]], _WALK.next_cursor(rows, limit))
