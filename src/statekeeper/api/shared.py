"""What is the same for many who look at it: made once a second, however many they are.

Whoever asks is given what was made last, if that is no older than a second, or waits for what is being made. So a
hundred who watch cost the store, and this process, no more than one does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

FRESH_SECONDS: Final = 1.0


class Shared:
    """Texts by their keys, of which there must be few: none is ever forgotten. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._made: dict[Hashable, tuple[float, asyncio.Future[str]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> str:
        """The text of this key, by `make` if there is none that is fresh; raises what `make` does."""
        now = (self._clock or asyncio.get_running_loop().time)()
        begun, text = self._made.get(key, (now - FRESH_SECONDS, None))
        if text is None or begun + FRESH_SECONDS <= now:
            text = asyncio.ensure_future(make())
            text.add_done_callback(look_at)
            self._made[key] = now, text
        return await asyncio.shield(text)

    def forget(self) -> None:
        """Let all be made anew from now on, since somebody has changed what is told, and is to see it."""
        self._made.clear()


def look_at(made: asyncio.Future[str]) -> None:
    """A failure is told to whoever waits for it; if all of them have left, to nobody."""
    if not made.cancelled():
        made.exception()
