"""The store as the command line reaches it: opened for one act, and closed.

A command that reads must not make a store where there is none: on SQLite a mere connection would. What a store refuses
is said in its own words, and never as a traceback.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from statekeeper.cli.flags import settings
from statekeeper.core.errors import OperatorError, SchemaError
from statekeeper.store import feed, schema
from statekeeper.store.database import Database, as_unavailable
from statekeeper.store.journal import Entry
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader

T = TypeVar("T")


def with_store(act: Callable[[Database], Awaitable[T]], *, create: bool = False) -> T:
    """Do something with the store that the settings name, whatever its schema."""
    database = Database.open(settings().database_url.get_secret_value())
    if not create:
        _require(database)
    probe(database)
    return asyncio.run(_do(act, database))


def ask(question: Callable[[Queries], Awaitable[T]]) -> T:
    """Ask a store whose schema is this program's."""

    async def act(database: Database) -> T:
        await schema.check(database)
        return await question(Queries(Reader(database.reader)))

    return with_store(act)


def write(job: Callable[[Connection, datetime], T]) -> T:
    """Do a job in a transaction, at the store's time, on a store whose schema is this program's."""

    async def act(database: Database) -> T:
        await schema.check(database)
        return await execute(database, job)

    return with_store(act)


async def execute(database: Database, job: Callable[[Connection, datetime], T]) -> T:
    """The same, on a store that is open; as the writer does, it puts into the feed what the job has left for it."""

    def act(connection: Connection) -> T:
        value = job(connection, database.now(connection))
        if isinstance(value, Entry):
            feed.append(connection, value.steps)
        return value

    async with database.writer.begin() as connection:
        return await connection.run_sync(act)


def probe(database: Database) -> None:
    """Raise `OperatorError` if SQLite cannot read the file: a driver that failed so would leave its thread behind."""
    if database.path is None:
        return
    try:
        with closing(sqlite3.connect(database.path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise OperatorError(f"{database.path} cannot be the store: {error}.") from error


def _require(database: Database) -> None:
    if database.path is not None and not database.path.exists():
        message = (
            f"There is no store at {database.path} yet; `statekeeper serve` or `statekeeper db upgrade` makes one."
        )
        raise SchemaError(message)


async def _do(act: Callable[[Database], Awaitable[T]], database: Database) -> T:
    try:
        with store_faults():
            return await act(database)
    finally:
        await database.close()


@contextmanager
def store_faults() -> Iterator[None]:
    """Turn what a driver raises into `Unavailable` where it may pass, and else into the operator's fault."""
    try:
        yield
    except (DBAPIError, OSError) as error:
        if (unavailable := as_unavailable(error)) is not None:
            raise unavailable from error
        raise OperatorError(f"The store cannot be used: {getattr(error, 'orig', error)}") from error
