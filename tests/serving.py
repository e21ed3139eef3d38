"""The real service as a process: on a store and a configuration of the test's own, killed, and started again.

    with Serving(tmp_path, endpoints=[…], delivery={"timeout": 1}) as service:     # started, and ready
        service.post(forge.token(data))                                           # or service.http.get(…)
        service.kill()                                                            # as SIGKILL does, at any moment
        service.start()                                                           # again, on the same store
        assert service.stop() == 0                                                # as SIGTERM does

Keyword arguments are settings; those that every test needs are there already, with the keys of `forge` in a file. The
port is any that is free, another one at each start. Nothing here sleeps: whoever waits does so for the process, which
may end in the meantime. `burst` sends over many connections at once, as fast as asyncio goes. `measured=False` spares
a service that is to be killed what it costs to measure its coverage: it would not live to write it down.
"""

import asyncio
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import httpx

import forge

BLINK = 0.02
TABLES = ("sessions", "events", "deliveries", "transitions", "callbacks", "attempts")
PATIENCE = 60.0


class Serving:
    """`statekeeper serve` in a directory: `statekeeper.toml`, `keys.json`, `log.jsonl` and (unless told) the store."""

    def __init__(
        self, directory: Path, store: Path | None = None, *, ready: bool = True, measured: bool = True, **settings: Any
    ) -> None:
        self.directory = directory
        self._ready, self._measured = ready, measured
        self.store = store or directory / "store.db"
        self.log = directory / "log.jsonl"
        self.log.touch()
        (directory / "keys.json").write_text(json.dumps(settings.pop("keys", forge.jwks())))
        idnow = {"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(directory / "keys.json")}
        idnow |= settings.pop("idnow", {})
        given = {"port": 0, "database_url": f"sqlite:///{self.store}", "idnow": _without_none(idnow), **settings}
        (directory / "statekeeper.toml").write_text(toml(given))
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        with ExitStack() as unless_ready:
            unless_ready.callback(self.__exit__)
            self.start()
            unless_ready.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process and self.process.poll() is None:
            self.kill()

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end, for a start that is refused."""
        return subprocess.run(
            self._command(*arguments),
            cwd=self.directory,
            env=_environment() | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def launch(self, **environment: str) -> None:
        """Start the process, and do not wait for it."""
        self._told = self.log.stat().st_size
        inherited = _environment() if self._measured else _without_coverage(_environment())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("serve"), cwd=self.directory, env=inherited | environment, stdout=log, stderr=log
            )

    def start(self, **environment: str) -> None:
        """Start the process; returns once it is ready, or, with `ready=False`, once it can be asked."""
        self.launch(**environment)
        self.port = self.wait_for_log("serving")["port"]
        self.__dict__.pop("http", None)
        if self._ready:
            self.wait_until(self.is_ready)

    @cached_property
    def http(self) -> httpx.Client:
        without_authorities = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read them takes longer than to ask
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE, verify=without_authorities)

    def post(self, body: str | bytes, **headers: str) -> httpx.Response:
        """Send one webhook."""
        return self.http.post("/webhooks/idnow", content=body, headers={"content-type": "application/jwt"} | headers)

    def is_ready(self) -> bool:
        return self.http.get("/health/ready").status_code == httpx.codes.OK

    def kill(self) -> None:
        """End it as a power cut would: nothing is finished, nothing is closed."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """Tell it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._wait()

    def wait_for_log(self, event: str) -> dict[str, Any]:
        """The first line of this name in the log of this run."""
        lines: list[dict[str, Any]] = []
        self.wait_until(lambda: lines.extend(self.logged(event)) or lines)
        return lines[0]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All whole lines of this name in the log of this run."""
        with self.log.open("rb") as log:
            log.seek(self._told)
            lines = [line for line in log.read().splitlines(keepends=True) if line.endswith(b"\n")]
        entries = [json.loads(line) for line in lines if line.startswith(b"{")]
        return [entry for entry in entries if entry["event"] == event]

    def wait_until(self, holds: Any, within: float = PATIENCE) -> None:
        """Ask again and again, until it holds; the process must be alive all the while."""
        until = time.monotonic() + within
        while not holds():
            assert time.monotonic() < until, f"it took too long\n{self.log.read_text()}"
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(BLINK)
                raise AssertionError(f"it has ended with {code}\n{self.log.read_text()}")

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the store itself, or change it behind the service's back."""
        with closing(sqlite3.connect(self.store, timeout=PATIENCE)) as connection, connection:
            return connection.execute(statement, parameters).fetchall()

    def stored(self) -> list[Any]:
        """All that the store knows of sessions."""
        return [self.sql(f"SELECT * FROM {table}") for table in TABLES]

    def end_leases(self) -> None:
        """What nobody settled is due: the minute that its lease would last has passed, as it were."""
        self.sql("UPDATE callbacks SET due_at = created_at WHERE status = 'pending'")

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "statekeeper", *arguments]

    def _wait(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.http.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("STATEKEEPER_")}


def _without_coverage(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


def toml(settings: Mapping[str, Any]) -> str:
    """Settings as the file that `serve` reads: plain values first, then tables, then lists of tables."""
    plain = [(name, value) for name, value in settings.items() if not isinstance(value, dict) and not _is_tables(value)]
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain]
    for name, value in settings.items():
        if isinstance(value, dict):
            lines += [f"[{name}]", toml(value)]
        for table in value if _is_tables(value) else ():
            lines += [f"[[{name}]]", toml(table)]
    return "\n".join(lines)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


class Wire:
    """One connection that is kept alive; it posts webhooks and reads what is answered, and nothing else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def post(self, token: str) -> tuple[int, Any]:
        head = f"POST /webhooks/idnow HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(token)}\r\n\r\n"
        self._writer.write((head + token).encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(line for line in answer.split("\r\n") if line.lower().startswith("content-length:"))
        body = await self._reader.readexactly(int(length.partition(":")[2]))
        return int(answer.split(" ", 2)[1]), json.loads(body)

    def close(self) -> None:
        self._writer.transport.abort()


Answers = dict[str, tuple[int, Any]]


async def burst(
    port: int, tokens: Iterable[str], connections: int = 32, heard: Callable[[int], None] = lambda _: None
) -> Answers:
    """Send these; returns what was answered, by token. Where the service dies, the rest goes without an answer.

    `heard` is told how many have been answered, after each.
    """
    answers: Answers = {}
    await asyncio.gather(*(_send(port, waiting, answers, heard) for waiting in [iter(tokens)] * connections))
    return answers


async def _send(port: int, waiting: Iterator[str], answers: Answers, heard: Callable[[int], None]) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        try:
            for token in waiting:
                answers[token] = await wire.post(token)
                heard(len(answers))
        finally:
            wire.close()
