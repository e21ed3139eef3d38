"""The statements that both engines have, each in its own dialect."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from statekeeper.store.rows import Row


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def insert_missing(connection: Connection, into: Table, rows: list[Row]) -> None:
    """Insert the rows that are not there yet; the others stay as they are."""
    connection.execute(_insert(into, is_postgres(connection)).on_conflict_do_nothing(), rows)


def upsert(connection: Connection, into: Table, rows: list[Row]) -> None:
    """Insert the rows, or replace those that bear the same primary key; every row must have the same columns."""
    connection.execute(_upsert(into, is_postgres(connection), tuple(rows[0])), rows)


@cache
def _upsert(into: Table, postgres: bool, columns: tuple[str, ...]) -> Any:  # noqa: ANN401 -- of either dialect
    statement = _insert(into, postgres)
    keys = [column.name for column in into.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _insert(into: Table, postgres: bool) -> Any:  # noqa: ANN401 -- of either dialect
    return postgresql.insert(into) if postgres else sqlite.insert(into)
