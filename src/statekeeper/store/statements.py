"""The statements that both engines have, each in its own dialect, and executed for many rows at once.

They are compiled once a dialect and bound by position: SQLAlchemy's own way looks up every parameter of every row anew,
which took a quarter of a batch's time. How a value is written is remembered, since a batch says the same few times, ids
and lists again and again.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from statekeeper.store.rows import Row

STATEMENTS: Final = 64
VALUES: Final = 1024


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def insert(connection: Connection, into: Table, rows: Sequence[Row]) -> None:
    execute_many(connection, _insert(into, is_postgres(connection)), rows)


def insert_missing(connection: Connection, into: Table, rows: Sequence[Row]) -> None:
    """Insert the rows that are not there yet; the others stay as they are."""
    execute_many(connection, _insert_missing(into, is_postgres(connection)), rows)


def insert_new(connection: Connection, into: Table, row: Row) -> bool:
    """Insert a row unless its key is there already; whether it was inserted."""
    return connection.execute(_insert_missing(into, is_postgres(connection)), row).rowcount == 1


def upsert(connection: Connection, into: Table, rows: Sequence[Row]) -> None:
    """Insert the rows, or replace those that bear the same primary key."""
    if rows:
        execute_many(connection, _upsert(into, is_postgres(connection), tuple(rows[0])), rows)


def replaced(into: Table, *, postgres: bool) -> Any:  # noqa: ANN401 -- of either dialect
    """The statement of an upsert of whole rows, for rows whose values cannot be hashed."""
    return _upsert(into, postgres, tuple(column.name for column in into.columns))


def execute_many(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 -- of any kind
    """Execute a statement once a row, if there is one; all rows have the same columns, their values can be hashed."""
    if rows:
        prepared = _prepare(statement, connection.dialect, tuple(rows[0]))
        connection.exec_driver_sql(prepared.sql, [prepared.bind(row) for row in rows])


def counted(connection: Connection, into: Table, key: Row, by: Row) -> tuple[int, ...]:
    """Add to counters, which begin at 0 where their row is missing; returns what they are then, their row locked."""
    statement = _counted(into, is_postgres(connection), tuple(by))
    return tuple(connection.execute(statement, key | by).one())


class _Prepared:
    """A statement as the driver takes it, and how a row becomes its parameters."""

    def __init__(self, statement: Any, dialect: Dialect, columns: tuple[str, ...]) -> None:  # noqa: ANN401 -- see above
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        types = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
        writers = {name: kind.bind_processor(dialect) for name, kind in types.items()}
        self.sql = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup)
        self._writers = [
            (n, lru_cache(VALUES)(write)) for n, name in enumerate(self._names) if (write := writers[name])
        ]

    def bind(self, row: Row) -> tuple[Any, ...]:
        values = [row[name] for name in self._names]
        for place, write in self._writers:
            values[place] = write(values[place])
        return tuple(values)


_prepare: Final = lru_cache(STATEMENTS)(_Prepared)


@cache
def _upsert(into: Table, postgres: bool, columns: tuple[str, ...]) -> Any:  # noqa: ANN401 -- of either dialect
    statement = _insert(into, postgres)
    keys = [column.name for column in into.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@cache
def _counted(into: Table, postgres: bool, counters: tuple[str, ...]) -> Any:  # noqa: ANN401 -- of either dialect
    statement = _insert(into, postgres)
    keys = [column.name for column in into.primary_key]
    totals = {name: into.c[name] + statement.excluded[name] for name in counters}
    counting = statement.on_conflict_do_update(index_elements=keys, set_=totals)
    return counting.returning(*(into.c[name] for name in counters))


@cache
def _insert_missing(into: Table, postgres: bool) -> Any:  # noqa: ANN401 -- of either dialect
    return _insert(into, postgres).on_conflict_do_nothing()


@cache
def _insert(into: Table, postgres: bool) -> Any:  # noqa: ANN401 -- of either dialect
    return postgresql.insert(into) if postgres else sqlite.insert(into)
