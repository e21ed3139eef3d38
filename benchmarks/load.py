"""The load: keep-alive connections that send requests made beforehand, each the next one once it has its answer.

Cheap on purpose, about 20 µs a request: what a load generator spends is taken for the server's time. It looks at an
answer's status and length, and at nothing else. `pace` bounds the requests a second; without it a connection never
waits.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as bytes, and the statuses that are right for it."""

    raw: bytes
    expected: frozenset[int] = frozenset({200})


@dataclass(slots=True)
class Tally:
    """What was answered, in the order of the answers: when, and after how many seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: Counter[int] = field(default_factory=Counter)
    at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    broken: int = 0

    @property
    def refused(self) -> int:
        return self.unexpected.total() + self.broken

    def rate(self, warm_up: float = 0.1) -> float:
        """Answers a second, without the first part of them."""
        first = int(len(self.at) * warm_up)
        return (len(self.at) - 1 - first) / (self.at[-1] - self.at[first])

    def quantile(self, part: float, warm_up: float = 0.1) -> float:
        """The seconds within which this part of the requests was answered."""
        ordered = sorted(self.seconds[int(len(self.seconds) * warm_up) :])
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


@dataclass(slots=True)
class Load:
    """One run against one port."""

    requests: Iterator[Outgoing]
    pace: float | None = None
    keep_times: bool = True
    on_answer: Callable[[int, float], None] = lambda _status, _seconds: None
    tally: Tally = field(default_factory=Tally)
    _next_at: float = 0.0

    async def run(self, port: int, connections: int) -> Tally:
        loop = asyncio.get_running_loop()
        ends = [loop.create_future() for _ in range(connections)]
        self._next_at = loop.time()
        for end in ends:
            await loop.create_connection(lambda end=end: _Connection(self, loop, end), HOST, port)
        await asyncio.gather(*ends)
        return self.tally

    def turn(self, now: float) -> float:
        """When the next request may leave."""
        if self.pace is None:
            return now
        self._next_at = max(self._next_at + 1 / self.pace, now - 1)
        return self._next_at

    def note(self, outgoing: Outgoing, status: int, sent_at: float) -> None:
        now = time.perf_counter()
        self.tally.statuses[status] += 1
        if status not in outgoing.expected:
            self.tally.unexpected[status] += 1
        if self.keep_times:
            self.tally.at.append(now)
            self.tally.seconds.append(now - sent_at)
        self.on_answer(status, now - sent_at)


class _Connection(asyncio.Protocol):
    """One at a time: a request, its answer, the next."""

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop, end: asyncio.Future[None]) -> None:
        self._load, self._loop, self._end = load, loop, end
        self._buffer = b""
        self._sent: tuple[Outgoing, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._go_on()

    def _go_on(self) -> None:
        now = self._loop.time()
        turn = self._load.turn(now)
        if turn > now:
            self._loop.call_at(turn, self._send)
        else:
            self._send()

    def _send(self) -> None:
        outgoing = next(self._load.requests, None)
        if outgoing is None or self._transport.is_closing():
            self._transport.close()
            return
        self._sent = (outgoing, time.perf_counter())
        self._transport.write(outgoing.raw)

    def data_received(self, data: bytes) -> None:
        self._buffer = answer = self._buffer + data
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(answer, 0, end)
        if len(answer) < end + 4 + (int(length[1]) if length else 0):
            return
        assert self._sent
        self._buffer, (outgoing, sent_at), self._sent = b"", self._sent, None
        self._load.note(outgoing, int(answer[9:12]), sent_at)
        self._go_on()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._sent:
            self._load.tally.broken += 1
        if not self._end.done():
            self._end.set_result(None)
