"""How the store is asked: one statement, or several, on a connection that is given back at once.

Several statements that must not see one table before a commit and the next behind it share a snapshot, by `read`.
Whatever fails because the store is away comes out as `Unavailable`; a fault of ours comes out as what it is.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, Row, Select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from statekeeper.store.database import as_unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """Asks a store by its engine. `clock` tells the time that ages are measured from."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.engine: Final = engine
        self.clock: Final = clock
        sqlite = engine.dialect.name == "sqlite"
        self._snapshots = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")

    def connected(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to ask on; raises `Unavailable`, as all that is asked here does."""
        return _connected(self.engine)

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        """All rows of a statement."""
        async with _connected(self.engine) as connection:
            found: Sequence[Any] = (await connection.execute(query)).all()
        return found

    async def row(self, query: Select[Any]) -> Row[Any] | None:
        """The only row of a statement, or None."""
        async with _connected(self.engine) as connection:
            found: Row[Any] | None = (await connection.execute(query)).one_or_none()
        return found

    async def ask(self, question: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Ask one thing, or several that may each see what is committed meanwhile."""
        async with _connected(self.engine) as connection:
            return await connection.run_sync(question, *given, **named)

    async def read(self, question: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Ask several things as of one moment."""
        async with _connected(self._snapshots) as connection:
            return await connection.run_sync(question, *given, **named)


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        if (unavailable := as_unavailable(error)) is None:
            raise
        raise unavailable from error
