"""Over answers without an end: whoever is signed out meanwhile is sent no more of them.

A stream waits for its client to leave; here the client is as good as gone once the sign-in has ended, which is looked
up now and then, on whichever node it was ended. To look is not to be seen, nor is to ask for a stream again (the guard
sees to that): a page that is left open does not keep anybody signed in. While the store is away nothing is known, and
nothing ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar.types import Message, Receive, Send

from statekeeper.core.errors import Unavailable

EVERY_SECONDS: Final = 30.0


class Vigil:
    """Watches one answer; `is_in` says whether its visitor is still signed in."""

    def __init__(self, receive: Receive, send: Send, is_in: Callable[[], Awaitable[bool]], pause: float) -> None:
        self._receive = receive
        self._send = send
        self._is_in = is_in
        self._pause = pause
        self._clock = asyncio.get_running_loop().time
        self._due_at = self._clock() + pause
        self._open = False

    async def receive(self) -> Any:  # noqa: ANN401 -- one of ASGI's messages
        """What comes from the client; that it has left as well once its visitor is signed out.

        However much it sends, it is looked in time.
        """
        coming = asyncio.ensure_future(self._receive())
        try:
            while True:
                await asyncio.wait({coming}, timeout=max(0, self._due_at - self._clock()))
                if self._clock() >= self._due_at and not await self._look():
                    return {"type": "http.disconnect"}
                if coming.done():
                    return coming.result()
        finally:
            coming.cancel()

    async def send(self, message: Message) -> None:
        self._open = message["type"] == "http.response.start" or bool(message.get("more_body"))
        await self._send(message)

    async def close(self) -> None:
        """End an answer that was left open, as its client has not left at all."""
        if self._open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _look(self) -> bool:
        """Whether the visitor is signed in still, for all that is known."""
        try:
            return await self._is_in()
        except Unavailable:
            return True
        finally:
            self._due_at = self._clock() + self._pause
