"""The store's engines: one connection that writes, others that read.

SQLite: WAL, so that readers never wait for the writer; `synchronous=FULL`, since without it a commit is not on disk
and an answer of 200 would be a lie; `BEGIN IMMEDIATE` for the writer, since a transaction that reads before it writes
cannot be upgraded safely; a lock beside the file, held by `serve` while it lives, since two writers starve each other.
The log is taken into the file every 4,000 pages (16 MiB) and not every 1,000: whichever commit does so waits for it.

PostgreSQL: READ COMMITTED with bounded waits, so that a node that hangs holds nobody up for long.

No error shows its statement's parameters, since tokens are among them. `now` is the store's clock: the server's on
PostgreSQL, where many nodes must agree, and the machine's on SQLite.
"""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, FromClause, event, func, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from statekeeper.core.errors import OperatorError, Unavailable
from statekeeper.core.instants import to_milliseconds
from statekeeper.store.driver import connector

READERS: Final = 4
BUSY_SECONDS: Final = 5.0
LOG_PAGES: Final = 4000
_POSTGRES_WAITS: Final = {
    "lock_timeout": "2000",
    "statement_timeout": "5000",
    "idle_in_transaction_session_timeout": "5000",
}
_SPLIT_STATES: Final = {"55P03", "57014", "40P01", "40001"}  # lock timeout, statement timeout, deadlock, serialization
_AWAY_STATES: Final = ("08", "25006", "53", "57P", "58")  # no connection, read-only, no room, shutting down, I/O error


@dataclass(slots=True)
class Database:
    """The engines of one store. `clock` replaces the store's own clock, for tests."""

    writer: AsyncEngine
    reader: AsyncEngine
    path: Path | None = None
    clock: Callable[[], datetime] | None = None
    _lock: int | None = None

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] | None = None) -> Self:
        """Make the engines for `sqlite:///…` or `postgresql://…`; nothing is connected yet."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            path = Path(parsed.database or "")
            target = parsed.set(drivername="sqlite+aiosqlite")
            options: dict[str, Any] = {"async_creator": connector(path), "hide_parameters": True, "max_overflow": 0}
            writer = create_async_engine(target, pool_size=1, **options)
            reader = create_async_engine(target, pool_size=READERS, **options)
            _sqlite(writer, "BEGIN IMMEDIATE", "PRAGMA synchronous=FULL", f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
            _sqlite(reader, "BEGIN", "PRAGMA query_only=1")
            return cls(writer, reader, path, clock)
        query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
        target = parsed.set(drivername="postgresql+asyncpg", query=query)  # libpq's word for it is the known one
        waits = {"server_settings": _POSTGRES_WAITS}
        options = {"pool_pre_ping": True, "connect_args": waits, "hide_parameters": True, "max_overflow": 0}
        writer = create_async_engine(target, pool_size=2, **options)
        return cls(writer, create_async_engine(target, pool_size=READERS, **options), None, clock)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.writer.dialect.name

    def now(self, connection: Connection) -> datetime:
        """The store's time, to the millisecond."""
        if self.clock is not None:
            return to_milliseconds(self.clock())
        if self.path is not None:
            return to_milliseconds(datetime.now(UTC))
        instant: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return to_milliseconds(instant)

    def claim_file(self) -> None:
        """Be the only `serve` on this SQLite file until `close`, or the death of the process, whichever comes first."""
        if self.path is None:
            return
        try:
            self._lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"{self.path} is served by another process; stop that one, or give this one its own database_url."
            raise OperatorError(message) from error
        except OSError as error:
            message = f"{self.path} cannot be served: {error.strerror}; database_url takes a file in a writable folder."
            raise OperatorError(message) from error

    async def close(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class _Compiler(SQLiteCompiler):
    """SQLAlchemy's, which passes over a table's hint: here it is written behind its name, as in `INDEXED BY`."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002 -- its signature
        return text


def _sqlite(engine: AsyncEngine, begin: str, *pragmas: str) -> None:
    """Leave transactions to SQLAlchemy, which sqlite3 would otherwise begin on its own and too late."""
    engine.dialect.statement_compiler = _Compiler

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 -- a DBAPI connection has no type
        connection.isolation_level = None
        cursor = connection.cursor()
        for statement in ("PRAGMA journal_mode=WAL", *pragmas, f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}"):
            cursor.execute(statement)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def is_contention(error: BaseException) -> bool:
    """Whether a batch failed for others' sake, so that its jobs may succeed one by one."""
    return _sqlstate(error) in _SPLIT_STATES


def as_unavailable(error: BaseException) -> Unavailable | None:
    """The 503 that an error of the store amounts to, or None where the data is at fault and not the store."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    away = lost or is_contention(error) or _sqlstate(error).startswith(_AWAY_STATES)
    broken = type(error) is DatabaseError  # SQLite's word for a file that is damaged, or is none
    if away or broken or isinstance(error, OperationalError | InterfaceError | OSError | TimeoutError | PoolTimeout):
        return Unavailable("The store does not answer, or is full.", reason="store")
    return None


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's word for what went wrong; empty where there is none."""
    return getattr(error.orig, "sqlstate", None) or "" if isinstance(error, DBAPIError) else ""
