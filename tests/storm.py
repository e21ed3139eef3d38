"""A receiver of callbacks in a process of its own, which fails, hangs, and can be killed; run as a script.

    with Storm(tmp_path, "sick", fail=1 / 3, hang=1 / 20) as receiver:     # listens on receiver.url
        receiver.kill(); receiver.start()                                 # as SIGKILL does; on the same port again
        receiver.heard()                                                   # every request as it came, and what it got

Each request is a line of its log before it is answered, so that a kill loses no answer that the sender may have seen.
"""

import asyncio
import os
import random
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ACCEPTED, FAILED, HUNG = "accepted", "failed", "hung"
_ANSWERS = {
    ACCEPTED: b"HTTP/1.1 204 Accepted\r\n\r\n",
    FAILED: b"HTTP/1.1 503 Failed\r\ncontent-length: 0\r\n\r\n",
}


@dataclass(frozen=True)
class Heard:
    """One request: the `webhook-id`, and what was made of it."""

    callback_id: str
    answer: str


class Storm:
    """The receiver's process, seen from the test."""

    def __init__(self, directory: Path, name: str, *, fail: float = 0, hang: float = 0, seed: int = 1) -> None:
        self.name, self._log = name, directory / f"{name}.log"
        self._log.touch()
        self._arguments = [str(self._log), str(fail), str(hang)]
        self._seed, self._port = seed, 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook"

    def start(self) -> None:
        """Listen, after a kill on the same port; returns once it does."""
        self._seed += 1
        command = [sys.executable, __file__, str(self._port), *self._arguments, str(self._seed)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def heard(self) -> list[Heard]:
        return [Heard(*line.split()) for line in self._log.read_text().splitlines()]


class _Receiver:
    def __init__(self, log: str, fail: float, hang: float, seed: int) -> None:
        self._log = os.open(log, os.O_APPEND | os.O_WRONLY)
        self._fail, self._hang, self._numbers = fail, hang, random.Random(seed)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while answer := await self._hear(reader):
                writer.write(answer)
        writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        answer = self._choose()
        os.write(self._log, f"{headers['webhook-id']} {answer}\n".encode())
        if answer == HUNG:
            await reader.read()  # until the sender has had enough
            return b""
        return _ANSWERS[answer]

    def _choose(self) -> str:
        drawn = self._numbers.random()
        return HUNG if drawn < self._hang else FAILED if drawn < self._hang + self._fail else ACCEPTED


async def _serve(port: str, log: str, fail: str, hang: str, seed: str) -> None:
    receiver = _Receiver(log, float(fail), float(hang), int(seed))
    server = await asyncio.start_server(receiver.converse, "127.0.0.1", int(port), reuse_address=True)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
