"""A consumer of the feed in a process of its own, which can be killed at any moment; run as a script.

    consumer = Consumer(tmp_path, "crm", service.port, until=20_000)      # started
    consumer.kill(); consumer.start()                                     # as SIGKILL does, at any moment
    consumer.wait()                                                       # it ends behind the last position
    consumer.runs()                                                       # what it took: a list of items for each start

It reads behind the position that the service keeps for it, writes down what it takes, and only then moves the position.
"""

import http.client
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 100.0
PAGE = 200


@dataclass(frozen=True)
class Taken:
    """One item, as it was written down."""

    position: int
    session_id: str
    ordinal: int


@dataclass(frozen=True)
class Run:
    """One life of the process: where the service said that it was, and what it took from there."""

    kept: int
    items: list[Taken]


class Consumer:
    """The process, seen from the test."""

    def __init__(self, directory: Path, name: str, port: int, until: int) -> None:
        self._log = directory / f"{name}.log"
        self._log.touch()
        self._command = [sys.executable, __file__, str(port), name, str(self._log), str(until)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        try:
            return self._process.wait(PATIENCE)
        finally:
            self.kill()

    def taken(self) -> int:
        """How many lines it has written so far."""
        return self._log.read_bytes().count(b"\n")

    def runs(self) -> list[Run]:
        runs: list[Run] = []
        for line in self._log.read_text().splitlines():
            first, *rest = line.split()
            if first == "start":
                runs.append(Run(int(rest[0]), []))
            else:
                runs[-1].items.append(Taken(int(first), rest[0], int(rest[1])))
        return runs


class _Worker:
    def __init__(self, port: str, name: str, log: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
        self._path = f"/v1/feed/consumers/{name}"
        self._read = f"/v1/feed?consumer={name}&limit={PAGE}&wait=5"
        self._log = os.open(log, os.O_APPEND | os.O_WRONLY)

    def work(self, until: int) -> None:
        kept = self._ask("GET", self._path)["position"]
        self._write(f"start {kept}\n")
        while int(kept) < until:
            page = self._ask("GET", self._read)
            self._write(
                "".join(f"{each['position']} {each['sessionId']} {each['ordinal']}\n" for each in page["items"])
            )
            moved = {"position": page["nextCursor"], "expected": kept}
            kept = self._ask("PUT", self._path, moved)["position"]

    def _write(self, lines: str) -> None:
        os.write(self._log, lines.encode())

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"content-type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        read = json.loads(answer.read())
        assert answer.status == http.client.OK, read
        return read


if __name__ == "__main__":
    _Worker(*sys.argv[1:4]).work(int(sys.argv[4]))
