"""A part of a page that is kept as it should be while somebody looks at it, by server-sent events.

The part is made again behind each change that it waits for, and once a second in any case, since another node's changes
wake nobody here; it is sent only where it differs from what was sent last. A storm of changes makes it so often and no
more. A stream ends by itself after some minutes: the browser comes again, and is judged again by the guard.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from statekeeper.api.streams import HEARTBEAT, HEARTBEAT_SECONDS, Stream
from statekeeper.api.wiring import wiring
from statekeeper.console.visitor import Asked
from statekeeper.watchers import Topic, Watchers

LOOK_SECONDS: Final = 1.0
GATHERING_SECONDS: Final = 0.2
LONGEST_SECONDS: Final = 300.0
_RETRY_MS: Final = 1000
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")

Fragment = Callable[[], Awaitable[str]]


def live(request: Asked, fragment: Fragment, topic: Topic) -> Stream:
    """The answer that sends a fragment of HTML now and whenever it has become another; raises `Unavailable` if full."""
    parts = wiring(request.scope)
    parts.streams.admit()
    watchers = parts.engine.watchers
    return parts.streams.answer(frames(watchers, fragment, topic), watchers.closed)


async def frames(watchers: Watchers, fragment: Fragment, topic: Topic) -> AsyncGenerator[bytes, None]:
    """What `live` sends: subscribed before the first look, so that no change falls between two."""
    clock = asyncio.get_running_loop().time
    end, told, shown = clock() + LONGEST_SECONDS, clock(), None
    with watchers.subscribe(topic) as watcher:
        while not watcher.closing and clock() < end:
            html = await fragment()
            if html != shown:
                told, shown = clock(), html
                yield frame(html)
            elif clock() - told >= HEARTBEAT_SECONDS:
                told = clock()
                yield HEARTBEAT
            if await watcher.wait(LOOK_SECONDS):
                await asyncio.sleep(GATHERING_SECONDS)


def frame(html: str) -> bytes:
    """One message; each line of it is a field of its own (HTML, 9.2.6)."""
    lines = "".join(f"data: {line}\n" for line in _LINE_ENDS.split(html))
    return f"retry: {_RETRY_MS}\n{lines}\n".encode()
