"""The feed: how many pages a second are read, and how long a step takes to a stream."""

import asyncio
import json
import random
import time
from collections.abc import Iterable

from benchmarks.load import HOST, Load, Outgoing
from benchmarks.servers import STATEKEEPER, Server, running
from benchmarks.traffic import Traffic, get

CONNECTIONS = 16
PAGE = 100
READS = 2000
_HELLO = f"GET /v1/feed/stream HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()


async def reads_a_second(server: Server, steps: int) -> float:
    """Pages of a hundred steps, from anywhere in the feed."""
    numbers = random.Random(1)
    places = [numbers.randrange(max(steps - PAGE, 1)) for _ in range(READS)]
    asked = [Outgoing(get(f"/v1/feed?after={place}&limit={PAGE}&transitions=all")) for place in places]
    answers = await Load(iter(asked)).run(server.port, CONNECTIONS)
    return answers.rate() if not answers.refused else 0.0


async def stream_seconds(traffic: Traffic, stories: Iterable[tuple[Outgoing, Outgoing]]) -> list[float]:
    """From the 200 of each session's end to its event, with one stream open and nothing else to do."""
    seconds = []
    with running(STATEKEEPER, traffic.keys) as service:
        await service.ready()
        reader, writer = await asyncio.open_connection(HOST, service.port)
        writer.write(_HELLO)
        await reader.readuntil(b"id: 0\n\n")
        for story in stories:
            await Load(iter(story)).run(service.port, 1)
            answered = time.perf_counter()
            while not json.loads(await _data(reader))["terminal"]:
                pass
            seconds.append(max(time.perf_counter() - answered, 0.0))
        writer.close()
    return seconds


async def _data(reader: asyncio.StreamReader) -> bytes:
    """The data of the next event."""
    async with asyncio.timeout(10):
        line = b""
        while not line.startswith(b"data: "):
            line = await reader.readuntil(b"\n")
        return line.removeprefix(b"data: ")
