"""Steps as they are taken, from the store itself and until told to stop: what `feed --follow` and `tail` are made of.

What the service commits wakes nobody here: the tail looks for it once a second. Lines go to stdout, where they begin to
stderr. Ctrl-C and SIGTERM end it well.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final

import rich_click as click

from statekeeper.cli.store import with_store
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.queries.feed import Feed
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import FeedItem
from statekeeper.tail import Tail
from statekeeper.watchers import Watchers

_HEARTBEAT_SECONDS: Final = 15.0


Begin = Callable[[int], int]
"""Behind which position to begin, by the head of the feed."""

Show = Callable[[FeedItem], None]


def follow(begin: Begin, wanted: FeedFilter, show: Show) -> None:
    """Show what comes behind a position, until told to stop; raises `QueryRefused` for one beyond the head."""
    with_store(lambda database: _follow(database, begin, wanted, show))


async def _follow(database: Database, begin: Begin, wanted: FeedFilter, show: Show) -> None:
    await schema.check(database)
    feed, watchers = Feed(Reader(database.reader)), Watchers()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, watchers.close)
    async with _tail(feed, watchers) as tail:
        after = begin(await feed.head())
        click.echo(f"Steps after position {after}, until Ctrl-C:", err=True)
        async with aclosing(tail.pages(after, wanted, _HEARTBEAT_SECONDS)) as pages:
            async for page in pages:
                for item in page.items:
                    show(item)


@asynccontextmanager
async def _tail(feed: Feed, watchers: Watchers) -> AsyncIterator[Tail]:
    """The feed's end, looked at by a task that is gone afterwards."""
    tail = Tail(feed, watchers)
    looking = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await tail.close()
