"""The brokers of this machine, on their standard ports, and a way to one that can be closed and opened again.

    need("NATS", 4222)                          # or the test is skipped, by that name
    async with Detour(4222) as detour:          # what connects to detour.port reaches port 4222
        await detour.close()                    # nobody listens there now, and who was connected is cut off
        await detour.open()                     # on the same port

`Detour(None)` leads nowhere: it takes every connection, and says nothing. With `detour.lossy = True` what is said from
then on is lost, in both directions, and nobody is told.
"""

import asyncio
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

import pytest

from statekeeper.core.callbacks import Callback, SessionEnded, encode
from statekeeper.core.snapshot import Cause, Step
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.brokers.sender import Broker, BrokerSender, broker_senders
from statekeeper.store.attempts import Claim


def need(name: str, port: int) -> None:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        pytest.skip(f"{name} is not listening on 127.0.0.1:{port}")


def sender(url: str, destination: str, concurrency: int = 8) -> BrokerSender:
    (made,) = broker_senders([Broker(Subscriber("bus"), url, destination, concurrency)])
    return made


def claim() -> Claim:
    """An attempt at telling of a session that nobody else has."""
    at = datetime(2026, 1, 8, 8, 35, 37, tzinfo=UTC)
    ended = SessionEnded(uuid4(), uuid4(), "flow", "live", "completed", at, None, [1, 2], contiguous=True)
    body = encode(Callback("bus", Step(2, "created", "completed", "session.completed", Cause.EVENT), ended))
    return Claim(ended.callback_id, ended.session_id, 2, "bus", body, number=1, tries=0)


class Detour:
    """Listens on a port of its own, and passes on what comes to a port of this machine."""

    def __init__(self, target: int | None) -> None:
        self.port = 0
        self.lossy = False
        self._target = target
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()

    async def left(self) -> None:
        """Until everybody who has come has gone."""
        await asyncio.wait_for(asyncio.gather(*self._conversations), 10)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        with suppress(ConnectionError, asyncio.CancelledError):
            if self._target is None:
                await reader.read()
            else:
                await self._pass_on(reader, writer, *await asyncio.open_connection("127.0.0.1", self._target))
        writer.transport.abort()

    async def _pass_on(self, reader, writer, far_reader, far_writer) -> None:
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, far_writer))
                both.create_task(self._copy(far_reader, writer))
        except* ConnectionError:
            pass
        finally:
            far_writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            if not self.lossy:
                writer.write(chunk)
                await writer.drain()
        raise ConnectionResetError
