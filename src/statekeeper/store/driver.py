"""sqlite3 in a thread of its own, with one change of threads a statement.

Through aiosqlite as it is, a statement of SQLAlchemy's changes threads four times (cursor, execute, fetch, close), and
each change costs as much as a small statement does. Here the cursor is made, run, emptied and closed in one errand.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

T = TypeVar("T")
_CHUNK = 64


class Connection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors make one errand of a statement."""

    def __init__(self, path: Path) -> None:
        super().__init__(lambda: sqlite3.connect(path), iter_chunk_size=_CHUNK)
        self._thread.daemon = True  # a connection that nobody closed must not keep the process alive

    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy asks for no more than it has
        return Cursor(self)

    async def run(self, errand: Callable[[sqlite3.Connection], T]) -> T:
        """Do this in the connection's thread."""
        done: T = await self._execute(errand, self._conn)  # type: ignore[no-untyped-call]
        return done


class Cursor:
    """As much of an aiosqlite cursor as SQLAlchemy uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Awaitable[None]:
        return self._connection.run(partial(self._run, sqlite3.Cursor.execute, sql, parameters))

    def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Awaitable[None]:
        return self._connection.run(partial(self._run, sqlite3.Cursor.executemany, sql, parameters))

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """It has been closed in its errand."""

    def _run(
        self,
        execute: Callable[[sqlite3.Cursor, str, Any], object],
        sql: str,
        parameters: Any,  # noqa: ANN401 -- one row of parameters, or many
        connection: sqlite3.Connection,
    ) -> None:
        cursor = connection.cursor()
        try:
            execute(cursor, sql, parameters)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


def connector(path: Path) -> Callable[[], Awaitable[Connection]]:
    """What SQLAlchemy calls to connect to this file."""

    async def connect() -> Connection:
        connection = Connection(path)
        await connection
        return connection

    return connect
