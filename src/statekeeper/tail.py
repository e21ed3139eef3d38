"""The feed's end, and those who sit at it: a page that waits, pages without end, the steps of one session.

Many who have read everything ask the same question behind each commit, and are given one answer: a read that has not
begun is shared, so that it sees all that each of them has been told of; and it goes on when they leave, since a driver
that is interrupted may lose its connection. No queue is kept for anybody; a page is read when its reader has taken the
one before. What another node commits wakes nobody here: `run` finds it, once a second and for all.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from statekeeper.core.errors import Unavailable
from statekeeper.store.feed_pages import DEFAULT_ITEMS, FeedFilter
from statekeeper.store.queries.feed import Feed
from statekeeper.store.views import FeedItem, FeedPage
from statekeeper.watchers import FEED, Watchers

REREAD_SECONDS: Final = 1.0
GATHERING_SECONDS: Final = 0.02
MOST_PASSED_OVER: Final = 100_000
log = structlog.get_logger()

T = TypeVar("T")


class Tail:
    """The feed as it grows."""

    def __init__(self, feed: Feed, watchers: Watchers) -> None:
        self._feed = feed
        self._watchers = watchers
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._reads: set[asyncio.Task[Any]] = set()
        self._head: int | None = None

    async def page(self, after: int, wanted: FeedFilter, limit: int, seconds: float = 0) -> FeedPage:
        """One page; where it would be empty, the first to come within so many seconds.

        One that is empty since so many steps were passed over waits for nothing: its reader goes on from its cursor.
        """
        passed_over = 0

        async def read() -> FeedPage:
            nonlocal after, passed_over
            page = await self._page(after, wanted, limit, MOST_PASSED_OVER)
            passed_over = int(page.next_cursor) - after
            after += passed_over
            return page

        return await self._watchers.until(
            FEED, read, lambda page: page.items or passed_over >= MOST_PASSED_OVER, seconds
        )

    async def pages(self, after: int, wanted: FeedFilter, heartbeat: float) -> AsyncGenerator[FeedPage, None]:
        """Page after page until the service stops; an empty one where there was none for a heartbeat's time."""
        while not self._watchers.closing:
            page = await self.page(after, wanted, DEFAULT_ITEMS, heartbeat)
            after = int(page.next_cursor)
            yield page
            if len(page.items) < DEFAULT_ITEMS:
                await asyncio.sleep(GATHERING_SECONDS)

    async def steps(self, session_id: UUID, ordinal: int, seconds: float) -> list[FeedItem]:
        """The steps of a session behind an ordinal; where there are none, the first to come within so many seconds."""
        return await self._watchers.until(session_id, partial(self._steps, session_id, ordinal), bool, seconds) or []

    async def run(self) -> None:
        """Look for what other nodes have committed, for ever; to be supervised."""
        while True:
            if self._watchers.watched:
                await self._look()
            else:
                self._head = None
            await asyncio.sleep(REREAD_SECONDS)

    async def _look(self) -> None:
        """Wake those for whom there is something new: everybody at the first look, since nobody knows how long ago."""
        before = self._head
        try:
            self._head = await self._read((), self._feed.head)
            if before is None:
                self._watchers.notify(tuple(self._watchers.watched))
            elif self._head > before:
                waiting = self._watchers.watched - {FEED}
                moved = await self._feed.sessions_between(before, self._head) if waiting else ()
                self._watchers.notify((FEED, *moved))
        except Unavailable as error:
            self._head = None
            log.warning("feed_not_read", reason=error.reason)

    async def close(self) -> None:
        """Return once no read is under way any more."""
        await asyncio.gather(*self._reads, return_exceptions=True)

    async def _page(self, *question: Any) -> FeedPage:  # noqa: ANN401 -- what `Feed.page` takes
        return await self._read(question, self._feed.page)

    async def _steps(self, *question: Any) -> list[FeedItem] | None:  # noqa: ANN401 -- what `Feed.of_session` takes
        return await self._read(question, self._feed.of_session)

    async def _read(self, question: tuple[Any, ...], answer: Callable[..., Awaitable[T]]) -> T:
        """The answer to a question, shared with whoever asks it before it is put to the store."""
        if question not in self._asked:
            task = asyncio.create_task(self._ask(question, answer))
            self._asked[question] = task
            self._reads.add(task)
            task.add_done_callback(self._answered)
        answered: T = await asyncio.shield(self._asked[question])
        return answered

    async def _ask(self, question: tuple[Any, ...], answer: Callable[..., Awaitable[T]]) -> T:
        await asyncio.sleep(0)  # those woken together have all asked by then
        del self._asked[question]
        return await answer(*question)

    def _answered(self, task: asyncio.Task[Any]) -> None:
        """A failure is told to those who asked; if they have all gone, to nobody."""
        self._reads.discard(task)
        if not task.cancelled():
            task.exception()
