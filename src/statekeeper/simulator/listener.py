"""A small HTTP server: one request a connection, answered by a function.

For the simulator's issuer and its endpoint, which want to bind a port, answer a little JSON, late or never if they are
to be difficult, and be gone when their block is left.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
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
    """What to answer: a status, a document for JSON if there is one, and headers besides.

    `after` are the seconds that it takes; None is for ever, or until the other side has had enough.
    """

    status: HTTPStatus = HTTPStatus.OK
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float | None = 0.0

    def encode(self) -> bytes:
        body = b"" if self.document is None else json.dumps(self.document).encode()
        kind = {"Content-Type": "application/json"} if body else {}
        head = {**kind, "Content-Length": len(body), "Connection": "close", **self.headers}
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextmanager
def bind(port: int = 0, host: str = "127.0.0.1") -> Iterator[tuple[socket.socket, str]]:
    """A port of this host, bound, and its URL; `OSError` if it is taken or not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as bound:
        yield bound, f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"


@asynccontextmanager
async def listen(bound: socket.socket, answer: Callable[[Request], Reply]) -> AsyncIterator[None]:
    """Answer on this port until the block is left; who waits for an answer then gets none."""
    under_way: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(task := asyncio.create_task(_converse(reader, writer, answer)))
        task.add_done_callback(under_way.discard)

    async with await asyncio.start_server(accept, sock=bound, limit=_LARGEST):
        try:
            yield
        finally:
            for task in under_way:
                task.cancel()


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Callable[[Request], Reply]
) -> None:
    with suppress(TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError), closing(writer):
        async with asyncio.timeout(_PATIENCE):
            reply = answer(await _read(reader))
        if not await _has_gone(reader, reply.after):
            writer.write(reply.encode())
            await writer.drain()


async def _has_gone(reader: asyncio.StreamReader, seconds: float | None) -> bool:
    """Wait so long, for ever if None; True at once if the other side hangs up before."""
    if seconds == 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(_LARGEST):
                pass
    except TimeoutError:
        return False
    return True


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
