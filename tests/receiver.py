"""A receiver of webhooks that really listens: on loopback, on a port of its own, without a sleep anywhere.

    async with Receiver(Answer(503), Answer(410)) as receiver:      # these answers first, then 200 for ever
        ...                                                         # something posts to receiver.url
        first, second = await receiver.wait_for(2)                  # each with method, path, headers, body, at

`Answer(until=event)` hangs until the event is set, `Answer(drop=True)` closes the connection without a word.
`otherwise` decides by the request when the given answers are used up. `receiving(...)` is the same for a test without a
loop: it listens in a thread, and its `wait_for` blocks.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came: header names in lower case, `at` by `time.monotonic()`."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer: nothing before `until` is set, nothing at all with `drop`."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    until: asyncio.Event | None = None
    drop: bool = False

    def encode(self) -> bytes:
        head = {"content-length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Answer", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


def accept(_request: Request) -> Answer:
    return Answer()


class Receiver:
    """Keeps every request in `requests`, and gives the answers in `answers`, then what `otherwise` says."""

    def __init__(self, *answers: Answer, otherwise: Callable[[Request], Answer] = accept) -> None:
        self.requests: list[Request] = []
        self.answers = deque(answers)
        self.otherwise = otherwise
        self._arrived = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_for(self, count: int, within: float = 10) -> list[Request]:
        """All requests, once there are `count` of them; `TimeoutError` if they do not come."""
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        answer = self.answers.popleft() if self.answers else self.otherwise(request)
        async with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        if answer.until:
            await answer.until.wait()
        if answer.drop:
            return False
        writer.write(answer.encode())
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _version = head[0].split(" ")
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, headers, body, time.monotonic())


class BlockingReceiver:
    """A `Receiver` that listens on a loop in a thread of its own."""

    def __init__(self, receiver: Receiver, loop: asyncio.AbstractEventLoop) -> None:
        self._receiver, self._loop = receiver, loop
        self.url, self.port = receiver.url, receiver.port

    @property
    def requests(self) -> list[Request]:
        return list(self._receiver.requests)

    def wait_for(self, count: int, within: float = 10) -> list[Request]:
        return _run(self._loop, self._receiver.wait_for(count, within))


@contextmanager
def receiving(*answers: Answer, otherwise: Callable[[Request], Answer] = accept) -> Iterator[BlockingReceiver]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    receiver = Receiver(*answers, otherwise=otherwise)
    try:
        _run(loop, receiver.__aenter__())
        yield BlockingReceiver(receiver, loop)
    finally:
        _run(loop, receiver.__aexit__())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, action: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(action, loop).result()
