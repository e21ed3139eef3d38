"""Server-sent events: an answer without an end, frame by frame (HTML, section 9.2).

A frame is made when the one before has been taken, so that a slow client costs no memory. A comment every few seconds
makes a dead one known. Nothing of the store is held while there is nothing to send; whatever is held is let go when the
client leaves, when the service stops, and when the store is away: an `EventSource` comes again by itself, and says
where it was.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import Final

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from statekeeper.core.errors import Unavailable
from statekeeper.store.views import FeedItem

HEARTBEAT_SECONDS: Final = 15.0
FAREWELL_SECONDS: Final = 1.0
MAX_STREAMS: Final = 1000
MAX_STREAMS_EACH: Final = 100
"""More than a desk that shares a token has pages before its eyes: a browser's hidden tabs close theirs."""
MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b":\n\n"
_RETRY_MS: Final = 3000
_HEADERS: Final = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_encode: Final = msgspec.json.Encoder().encode
log = structlog.get_logger()

Frames = AsyncGenerator[bytes, None]


def frame(key: str | int, item: FeedItem) -> bytes:
    """One event: its id is where a client goes on behind it."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (str(key).encode(), item.type.encode(), _encode(item))


def beginning(key: str | int) -> bytes:
    """The first frame, an id without an event: a client that loses the connection now already knows where it was."""
    return b"retry: %d\nid: %s\n\n" % (_RETRY_MS, str(key).encode())


def place(key: str | int) -> bytes:
    """A heartbeat that moves a client on past what it has not asked for."""
    return b":\nid: %s\n\n" % str(key).encode()


class Streams:
    """All clients that are sent events as they come; so many and no more, of one person fewer."""

    def __init__(self, limit: int = MAX_STREAMS, limit_each: int = MAX_STREAMS_EACH) -> None:
        self._limit = limit
        self._limit_each = limit_each
        self._of: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._of.total()

    def admit(self, person: str = "") -> None:
        """Raise `Unavailable` unless there is room for one more, and for this person if one is named."""
        if self.open >= self._limit or (person and self._of[person] >= self._limit_each):
            raise Unavailable("Too many streams are open.", reason="streams_full")

    def answer(self, frames: Frames, closed: Callable[[], Awaitable[None]], person: str = "") -> "Stream":
        return Stream(frames, closed, self._counting(person))

    @contextmanager
    def _counting(self, person: str) -> Iterator[None]:
        self._of[person] += 1
        try:
            yield
        finally:
            self._of[person] -= 1
            self._of += Counter()  # forgets whoever has none left


class Stream:
    """The answer as ASGI. `closed` returns when the service is told to stop."""

    def __init__(
        self, frames: Frames, closed: Callable[[], Awaitable[None]], counting: AbstractContextManager[None]
    ) -> None:
        self._frames = frames
        self._closed = closed
        self._counting = counting

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until there are no more frames, the client has left, or the service stops."""
        with self._counting:
            await self._send_all(receive, send)

    async def _send_all(self, receive: Receive, send: Send) -> None:
        telling = asyncio.ensure_future(self._tell(send))
        others = [asyncio.ensure_future(each) for each in (_left(receive), self._closed())]
        try:
            await asyncio.wait((telling, *others), return_when=asyncio.FIRST_COMPLETED)
            if others[1].done():
                await asyncio.wait((telling,), timeout=FAREWELL_SECONDS)
        finally:
            for each in (telling, *others):
                each.cancel()
            await asyncio.gather(telling, *others, return_exceptions=True)
        if not telling.cancelled():
            telling.result()

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        async with aclosing(self._frames) as frames:
            try:
                async for each in frames:
                    await send({"type": "http.response.body", "body": each, "more_body": True})
            except Unavailable as error:
                log.warning("stream_interrupted", reason=error.reason)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
