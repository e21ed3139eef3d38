"""`statekeeper feed --follow`: steps as they are taken, a line each, from the store itself and until told to stop.

What the service commits wakes nobody here: the tail looks for it once a second. Lines go to stdout, where they begin to
stderr. Ctrl-C and SIGTERM end it well.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final

import rich_click as click

from statekeeper.cli.screen import show_json_line, show_line
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


def follow(after: int | None, wanted: FeedFilter, *, as_json: bool) -> None:
    """Print what comes behind a position, or from now on; raises `QueryRefused` for one beyond the head."""
    show = show_json_line if as_json else _show
    with_store(lambda database: _follow(database, after, wanted, show))


async def _follow(database: Database, after: int | None, wanted: FeedFilter, show: Callable[[FeedItem], None]) -> None:
    await schema.check(database)
    feed, watchers = Feed(Reader(database.reader)), Watchers()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, watchers.close)
    async with _tail(feed, watchers) as tail:
        begin = await feed.head() if after is None else after
        click.echo(f"Steps after position {begin}, until Ctrl-C:", err=True)
        async with aclosing(tail.pages(begin, wanted, _HEARTBEAT_SECONDS)) as pages:
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


def _show(item: FeedItem) -> None:
    how = f"{item.source} → {item.state}  {item.trigger}, {item.cause}"
    show_line(f"{item.at}  {item.position}  {item.session_id}  {how}")
