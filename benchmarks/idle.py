"""How long a callback takes when nothing else is to do: from the 200 of a terminal event to its arrival over HTTP."""

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.load import HOST, Load, Outgoing
from benchmarks.servers import STATEKEEPER, running
from benchmarks.traffic import Traffic

SECRET = "whsec_YSBzZWNyZXQgb2YgYSBiZW5jaG1hcmsgb25seQ=="  # noqa: S105 -- of the benchmark's own receiver
_ACCEPT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Takes callbacks on loopback and notes when the last one came."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.at = 0.0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            self.at = time.perf_counter()
            self.arrived.set()
            writer.write(_ACCEPT)
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def callback_seconds(traffic: Traffic, stories: Iterable[tuple[Outgoing, Outgoing]]) -> list[float]:
    """The seconds for each story, sent one after the other: its creation, then its end."""
    receiver, seconds = Receiver(), []
    async with await asyncio.start_server(receiver.converse, HOST, 0) as server:
        url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/"
        endpoints = json.dumps([{"name": "crm", "url": url, "secrets": [SECRET]}])
        with running(STATEKEEPER, Path(traffic.keys), {"STATEKEEPER_ENDPOINTS": endpoints}) as service:
            await service.ready()
            for story in stories:
                receiver.arrived.clear()
                await Load(iter(story)).run(service.port, 1)
                answered = time.perf_counter()
                await asyncio.wait_for(receiver.arrived.wait(), 10)
                seconds.append(max(receiver.at - answered, 0.0))
    return seconds
