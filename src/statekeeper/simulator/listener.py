"""A small HTTP server on loopback: one request a connection, answered by a function.

For the simulator's issuer and the demo's receiver, which want to bind a port, answer a little JSON, and be gone when
their block is left.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

_PATIENCE: Final = 5
_LARGEST: Final = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: a status, a document for JSON, and headers besides."""

    status: HTTPStatus = HTTPStatus.OK
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        body = json.dumps(self.document).encode()
        head = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close", **self.headers}
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def bind(port: int = 0) -> Iterator[tuple[socket.socket, str]]:
    """A port of 127.0.0.1, bound, and its URL; `OSError` if it is taken."""
    with socket.create_server(("127.0.0.1", port)) as bound:
        yield bound, f"http://127.0.0.1:{bound.getsockname()[1]}"


@asynccontextmanager
async def listen(bound: socket.socket, answer: Callable[[Request], Reply]) -> AsyncIterator[None]:
    """Answer on this port until the block is left."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_PATIENCE):
                writer.write(answer(await _read(reader)).encode())
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(converse, sock=bound, limit=_LARGEST):
        yield


async def _read(reader: asyncio.StreamReader) -> Request:
    """The request; `ValueError` if it is none, or too large."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise ValueError from error
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ")
    pairs = (line.split(":", 1) for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(min(int(headers.get("content-length", "0")), _LARGEST))
    return Request(method, path, headers, body)
