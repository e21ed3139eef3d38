"""The feed's end, and those who sit at it: a page that waits, and pages without end.

Many who have read everything ask the same question behind each commit, and are given one answer: a read that has not
begun is shared, so that it sees all that each of them has been told of. No queue is kept for anybody; a page is read
when its reader has taken the one before. What another node commits wakes nobody here: `run` finds it, once a second and
for all.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import structlog

from statekeeper.core.errors import Unavailable
from statekeeper.store.feed_pages import DEFAULT_ITEMS, FeedFilter
from statekeeper.store.queries import Queries
from statekeeper.store.views import FeedPage
from statekeeper.watchers import FEED, Watchers

REREAD_SECONDS: Final = 1.0
GATHERING_SECONDS: Final = 0.02
log = structlog.get_logger()

Question = tuple[int, FeedFilter, int]


class Tail:
    """The feed as it grows."""

    def __init__(self, queries: Queries, watchers: Watchers) -> None:
        self._queries = queries
        self._watchers = watchers
        self._asked: dict[Question, asyncio.Task[FeedPage]] = {}
        self._head = 0

    async def page(self, after: int, wanted: FeedFilter, limit: int, seconds: float = 0) -> FeedPage:
        """One page; where it would be empty, the first to come within so many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self._watchers.subscribe(FEED) as watcher:
            while True:
                left = deadline - clock()
                page = await self._read(after, wanted, limit)
                if page.items or left <= 0 or watcher.closing:
                    return page
                after = int(page.next_cursor)
                await watcher.wait(left)

    async def pages(self, after: int, wanted: FeedFilter, heartbeat: float) -> AsyncGenerator[FeedPage, None]:
        """Page after page until the service stops; an empty one where there was none for a heartbeat's time."""
        while not self._watchers.closing:
            page = await self.page(after, wanted, DEFAULT_ITEMS, heartbeat)
            after = int(page.next_cursor)
            yield page
            if len(page.items) < DEFAULT_ITEMS:
                await asyncio.sleep(GATHERING_SECONDS)

    async def run(self) -> None:
        """Look for what other nodes have committed, for ever; to be supervised."""
        while True:
            if self._watchers.watched(FEED):
                await self._look()
            await asyncio.sleep(REREAD_SECONDS)

    async def _look(self) -> None:
        try:
            head = await self._queries.feed_head()
        except Unavailable as error:
            log.warning("feed_not_read", reason=error.reason)
            return
        if head != self._head:
            self._head = head
            self._watchers.notify((FEED,))

    async def _read(self, *question: *Question) -> FeedPage:
        """The answer to a question, shared with whoever asks it before it is put to the store."""
        if question not in self._asked:
            self._asked[question] = asyncio.create_task(self._ask(question))
            self._asked[question].add_done_callback(_heard)
        return await asyncio.shield(self._asked[question])

    async def _ask(self, question: Question) -> FeedPage:
        await asyncio.sleep(0)  # those woken together have all asked by then
        del self._asked[question]
        return await self._queries.feed(*question)


def _heard(task: asyncio.Task[FeedPage]) -> None:
    """A failure is told to those who asked; if they have all gone, to nobody."""
    if not task.cancelled():
        task.exception()
