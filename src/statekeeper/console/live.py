"""A part of a page that is kept as it should be while somebody looks at it, by server-sent events.

The part is made again behind each change that it waits for, and once a second in any case, since another node's changes
wake nobody here; it is sent only where it differs from what was sent last. A storm of changes makes it so often and no
more.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from statekeeper.api.shared import look_at
from statekeeper.api.streams import HEARTBEAT, HEARTBEAT_SECONDS, Stream
from statekeeper.api.wiring import wiring
from statekeeper.console.visitor import Asked, visitor
from statekeeper.watchers import FEED, Topic, Watchers

LOOK_SECONDS: Final = 1.0
GATHERING_SECONDS: Final = 0.2
FEED_SECONDS: Final = 1.0
"""The feed of a busy service never rests: what is of all sessions is made again no more often than this."""
_RETRY_MS: Final = 1000
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")

Fragment = Callable[[], Awaitable[str]]


def live(request: Asked, fragment: Fragment, topic: Topic) -> Stream:
    """The answer that sends a fragment of HTML now and whenever it has become another; raises `Unavailable` if full."""
    parts = wiring(request.scope)
    person, watchers = visitor(request).name, parts.engine.watchers
    parts.streams.admit(person)
    return parts.streams.answer(frames(watchers, fragment, topic), watchers.closed, person)


async def frames(watchers: Watchers, fragment: Fragment, topic: Topic) -> AsyncGenerator[bytes, None]:
    """What `live` sends: subscribed before the first look, so that no change falls between two."""
    clock = asyncio.get_running_loop().time
    told, shown = clock(), None
    with watchers.subscribe(topic) as watcher:
        while not watcher.closing:
            html = await _made(fragment)
            if html != shown:
                told, shown = clock(), html
                yield frame(html)
            elif clock() - told >= HEARTBEAT_SECONDS:
                told = clock()
                yield HEARTBEAT
            if await watcher.wait(LOOK_SECONDS):
                await asyncio.sleep(FEED_SECONDS if topic == FEED else GATHERING_SECONDS)


async def _made(fragment: Fragment) -> str:
    """The fragment, made to its end even if whoever asked leaves: a driver that is interrupted loses its connection."""
    making = asyncio.ensure_future(fragment())
    making.add_done_callback(look_at)
    return await asyncio.shield(making)


def is_live(path: str) -> bool:
    """Whether a page asks this by itself, to go on: nobody need be there for it."""
    return path.endswith("/live")


def frame(html: str) -> bytes:
    """One message; each line of it is a field of its own (HTML, 9.2.6)."""
    lines = "".join(f"data: {line}\n" for line in _LINE_ENDS.split(html))
    return f"retry: {_RETRY_MS}\n{lines}\n".encode()
