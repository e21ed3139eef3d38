"""One row by its key, as fast as the driver gives it: the query that everybody polls.

The statement is compiled once. On SQLite a query through SQLAlchemy changes threads for its begin, its statement and
its rollback, and builds a result of its own; that is most of its time, and one errand to the driver does without it. A
single SELECT is its own snapshot and needs no transaction. On PostgreSQL the driver lives on our own loop, and the
ordinary way is taken.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, cast

import aiosqlite
from sqlalchemy import Select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Lookup:
    """A SELECT whose only parameter is called `key`."""

    def __init__(self, engine: AsyncEngine, statement: Select[Any]) -> None:
        dialect = engine.dialect
        compiled = statement.compile(dialect=dialect)
        self._statement = statement
        self._direct = dialect.name == "sqlite"
        self._sql = str(compiled)
        self._write = compiled.binds["key"].type.dialect_impl(dialect).bind_processor(dialect)
        self._read = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.selected_columns
        ]

    async def find(self, connection: AsyncConnection, key: object) -> Sequence[Any] | None:
        """The row under this key, or None."""
        if not self._direct:
            row: Sequence[Any] | None = (await connection.execute(self._statement, {"key": key})).one_or_none()
            return row
        raw = await connection.get_raw_connection()
        driver = cast("aiosqlite.Connection", raw.driver_connection)
        try:
            rows = list(await driver.execute_fetchall(self._sql, (self._write(key) if self._write else key,)))
        except sqlite3.Error as error:
            raise OperationalError(self._sql, None, error) from error
        return (
            [read(value) if read else value for read, value in zip(self._read, rows[0], strict=True)] if rows else None
        )
