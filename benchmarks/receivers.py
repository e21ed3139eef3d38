"""Receivers of callbacks: cheap, as the load is, since what one of them spends is taken for the server's time."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.load import HOST

ACCEPT = b"HTTP/1.1 204 No Content\r\n\r\n"
FAIL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
DOWN = 2.0  # seconds in which one that was killed is not there
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ENDED = re.compile(rb'"endedAt":"([^"]+)"')


def accept() -> bytes:
    return ACCEPT


@dataclass(slots=True)
class Receiver:
    """What came: when, and how many seconds after the end that it tells of; `choose` answers, or hangs on `b""`.

    `fatal` is the request with which it is killed, to be there again two seconds later.
    """

    choose: Callable[[], bytes] = accept
    at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    url: str = ""
    fatal: int | None = None
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, body: bytes) -> bytes:
        self._heard += 1
        if self._heard == self.fatal:
            self.killed.set()
            return b""
        answer = self.choose()
        if answer is ACCEPT:
            self.at.append(time.perf_counter())
            ended = _ENDED.search(body)
            assert ended
            self._came.set()
            self.seconds.append(time.time() - datetime.fromisoformat(ended[1].decode()).timestamp())
        return answer

    async def wait_for(self, count: int, within: float = 120) -> None:
        """Until so many were accepted."""
        async with asyncio.timeout(within):
            while len(self.at) < count:
                self._came.clear()
                await self._came.wait()


def sick(seed: int) -> Callable[[], bytes]:
    """Fails one request in three, and hangs one in twenty."""
    numbers = random.Random(seed)

    def choose() -> bytes:
        drawn = numbers.random()
        return b"" if drawn < 1 / 20 else FAIL if drawn < 1 / 20 + 1 / 3 else ACCEPT

    return choose


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    connections: set[asyncio.Transport] = set()
    server = await _listen(receiver, connections, 0)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"http://{HOST}:{port}/"
    killer = asyncio.create_task(_kill(server, receiver, connections, port))
    try:
        yield receiver
    finally:
        server.close()
        killer.cancel()
        again = await asyncio.gather(killer, return_exceptions=True)
        for each in again:
            if not isinstance(each, BaseException):
                each.close()


async def _listen(receiver: Receiver, connections: set[asyncio.Transport], port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(receiver, connections), HOST, port)


async def _kill(
    server: asyncio.Server, receiver: Receiver, connections: set[asyncio.Transport], port: int
) -> asyncio.Server:
    """Once it is to be killed: be gone with all connections, and begin again; returns the server that then listens."""
    await receiver.killed.wait()
    server.close()
    for each in list(connections):
        each.abort()
    await asyncio.sleep(DOWN)
    return await _listen(receiver, connections, port)


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver, connections: set[asyncio.Transport]) -> None:
        self._receiver = receiver
        self._connections = connections
        self._buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = request = self._buffer + data
        end = request.find(b"\r\n\r\n")
        length = _LENGTH.search(request, 0, end) if end >= 0 else None
        if length and len(request) >= end + 4 + int(length[1]):
            self._buffer = b""
            self._transport.write(self._receiver.hear(request[end + 4 :]))
