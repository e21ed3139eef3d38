"""The feed's named consumers: where each is, and how far behind the head that is."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from statekeeper.core.errors import NotFound
from statekeeper.store import consumers, feed_pages
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import ConsumerList, ConsumerView


class Consumers:
    """Finds one, and lists all."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def position(self, name: str) -> tuple[int, bool]:
        """Where a consumer of the feed is, and whether it is of ends only; raises `NotFound`."""
        row = await self._reader.ask(consumers.find, name)
        return row.position, row.terminal

    async def find(self, name: str) -> ConsumerView:
        """A consumer of the feed with its lag; raises `NotFound`."""
        found = await self._reader.ask(lambda connection: consumers.shown(connection, self._reader.clock(), name))
        if not found:
            raise NotFound("consumer", name)
        return found[0]

    async def all(self) -> ConsumerList:
        """All consumers of the feed by their names, and its head."""
        return await self._reader.read(_all, self._reader.clock)


def _all(connection: Connection, clock: Callable[[], datetime]) -> ConsumerList:
    head = feed_pages.head_of(connection)
    return ConsumerList(consumers.shown(connection, clock()), str(head))
