"""The feed, a page at a time; what a page is made of, and the filter it is asked with, are in `feed_pages`."""

import math
from collections.abc import Sequence
from uuid import UUID

from statekeeper.store import feed_pages
from statekeeper.store.feed_pages import DEFAULT_ITEMS, FeedFilter
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import FeedItem, FeedPage


class Feed:
    """Reads the steps of all sessions in their one order, or those of one session."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(
        self, after: int, wanted: FeedFilter, limit: int = DEFAULT_ITEMS, most: float = math.inf
    ) -> FeedPage:
        """One page of the feed. Raises `QueryRefused` beyond the head.

        It is empty only where there is nothing more for now, or where `most` steps or more have been passed over. That
        is done a stretch at a time, and nobody's connection is kept for all of it.
        """
        last = after + most
        while True:
            found = await self._reader.ask(feed_pages.read_stretch, after, wanted, limit)
            after = found.cursor
            if found.items or after >= min(found.head, last):
                return FeedPage(found.items, str(after))

    async def head(self) -> int:
        """The position of the newest step."""
        return await self._reader.ask(feed_pages.head_of)

    async def sessions_between(self, after: int, until: int) -> Sequence[UUID]:
        """The sessions that took a step behind the one position, up to and with the other."""
        return await self._reader.ask(feed_pages.read_sessions, after, until)

    async def of_session(self, session_id: UUID, ordinal: int = 0) -> list[FeedItem] | None:
        """The steps of a session behind an ordinal; None if it is unknown."""
        return await self._reader.ask(feed_pages.read_session, session_id, ordinal)
