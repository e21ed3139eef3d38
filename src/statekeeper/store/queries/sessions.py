"""Sessions as they stand. One is asked for most of all, and is found by a statement that is compiled once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from operator import eq, gt, lt
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, bindparam, select

from statekeeper.store import projections as show
from statekeeper.store.lookup import Lookup
from statekeeper.store.narrowing import is_rare_origin
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
        return await self._reader.read(_page, wanted, limit, cursor)


def _page(connection: Connection, wanted: SessionFilter, limit: int, cursor: str | None) -> SessionPage:
    branches = [_sessions.c.state == state for state in dict.fromkeys(wanted.states)]
    walk = replace(_WALK, index=_index(connection, wanted))
    rows = connection.execute(walk.page(wanted.conditions(), branches, limit, cursor)).all()
    return SessionPage([show.session_view(row) for row in rows[:limit]], walk.next_cursor(rows, limit))


def _index(connection: Connection, wanted: SessionFilter) -> str:
    """What SQLite must walk along: by itself it would sort all of an environment, be they most of the store."""
    if wanted.environment is not None and is_rare_origin(connection, wanted.environment, wanted.flow_id):
        return "ix_sessions_origin"
    return "ix_sessions_state" if wanted.states else "ix_sessions_updated_at"
