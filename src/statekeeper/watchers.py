"""Who waits for a session to change, or for the feed to go on: a long wait subscribes, reads, waits, and reads again.

To subscribe before the read is what makes it safe: a change between the two wakes the waiter at once. Whoever commits
calls `notify` with the sessions it changed, and with `FEED` if steps were taken. `close` answers all waiters now and in
future, so that a service told to stop does not sit out its clients' patience.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Final, TypeVar
from uuid import UUID

FEED: Final = "feed"
Topic = UUID | str
T = TypeVar("T")


class Watcher:
    """One that waits for one session, or for the feed."""

    __slots__ = ("_changed", "_closing")

    def __init__(self, closing: asyncio.Event) -> None:
        self._changed = asyncio.Event()
        self._closing = closing

    @property
    def closing(self) -> bool:
        """Whether nobody is to wait any more."""
        return self._closing.is_set()

    def wake(self) -> None:
        self._changed.set()

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 -- a time-out is an answer here, not an exception
        """Whether there was a change since the last wait; False once `timeout` seconds are over, or at the end."""
        if self._closing.is_set():
            return False
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return not self._closing.is_set()


class Watchers:
    """All that wait, by what they wait for."""

    def __init__(self) -> None:
        self._watching: dict[Topic, set[Watcher]] = {}
        self._closing = asyncio.Event()

    @contextmanager
    def subscribe(self, topic: Topic) -> Iterator[Watcher]:
        """Be told of every change from now on."""
        watcher = Watcher(self._closing)
        self._watching.setdefault(topic, set()).add(watcher)
        try:
            yield watcher
        finally:
            watching = self._watching[topic]
            watching.discard(watcher)
            if not watching:
                del self._watching[topic]

    async def until(
        self, topic: Topic, read: Callable[[], Awaitable[T]], enough: Callable[[T], object], seconds: float
    ) -> T:
        """What is read once it is enough, or once the time is over: read at once, and again behind each change."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self.subscribe(topic) as watcher:
            while True:
                left = deadline - clock()
                found = await read()
                if enough(found) or left <= 0 or watcher.closing:
                    return found
                await watcher.wait(left)

    @property
    def watched(self) -> AbstractSet[Topic]:
        """What somebody waits for."""
        return self._watching.keys()

    def notify(self, topics: Iterable[Topic]) -> None:
        """These have changed, and the change is on disk."""
        if self._watching:
            for topic in topics:
                for watcher in self._watching.get(topic, ()):
                    watcher.wake()

    def close(self) -> None:
        """Answer everybody at once, those included who come later."""
        self._closing.set()
        for topic in self._watching:
            self.notify((topic,))

    @property
    def closing(self) -> bool:
        """Whether nobody is to wait any more."""
        return self._closing.is_set()

    async def closed(self) -> None:
        """Return once nobody is to wait any more."""
        await self._closing.wait()
