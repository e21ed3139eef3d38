"""The contenders as processes: started on their own core, watched from outside, and stopped by their process id."""

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import HOST
from benchmarks.traffic import AUDIENCE, ISSUER

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVER_CORE, LOAD_CORE = (CORES[0], CORES[1]) if len(CORES) > 1 else (None, None)
PATIENCE = 20.0
_HERE = Path(__file__).parent.parent
_UVICORN = (sys.executable, "-m", "uvicorn", "--host", HOST, "--no-access-log", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Contender:
    """How one of them is run, and how many webhooks its store has taken."""

    name: str
    command: tuple[str, ...]
    environment: Callable[[Path, Path], Mapping[str, str]]
    count: str

    def settings(self, store: Path, keys: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STATEKEEPER_")}
        return kept | {"PYTHONPATH": str(_HERE)} | self.environment(store, keys)


def _statekeeper_environment(store: Path, keys: Path) -> dict[str, str]:
    return {
        "STATEKEEPER_DATABASE_URL": f"sqlite:///{store}",
        "STATEKEEPER_IDNOW__ISSUER": ISSUER,
        "STATEKEEPER_IDNOW__AUDIENCE": AUDIENCE,
        "STATEKEEPER_IDNOW__JWKS_FILE": str(keys),
    }


STATEKEEPER = Contender(
    "statekeeper",
    (sys.executable, "-m", "statekeeper", "serve", "--host", HOST),
    _statekeeper_environment,
    "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM deliveries)",
)
PEER = Contender(
    "by-hand peer",
    (*_UVICORN, "benchmarks.peer:app"),
    lambda store, keys: {"PEER_STORE": str(store), "PEER_KEYS": str(keys)},
    "SELECT count(*) FROM storedevent",
)
FLOOR = Contender(
    "floor",
    (*_UVICORN, "benchmarks.floor:app"),
    lambda store, keys: {"FLOOR_STORE": str(store), "FLOOR_KEYS": str(keys)},
    "SELECT count(*) FROM events",
)


@dataclass(slots=True)
class Server:
    """One process and what is around it."""

    contender: Contender
    process: subprocess.Popen[bytes]
    port: int
    store: Path
    log: Path

    @property
    def memory(self) -> int | None:
        """Resident bytes, where the system tells."""
        with suppress(OSError):
            pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGESIZE")
        return None

    @property
    def processor_seconds(self) -> float | None:
        """Processor time it has used so far, in user and system mode."""
        with suppress(OSError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return None

    @property
    def bytes_on_disk(self) -> int:
        """The size of its store; to be asked once it has ended. A log that it left behind is taken into the file."""
        with closing(sqlite3.connect(self.store)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.store.stat().st_size

    def stored(self) -> int:
        """How many webhooks are in its store; to be asked once it has ended."""
        with closing(sqlite3.connect(self.store)) as connection:
            count: int = connection.execute(self.contender.count).fetchone()[0]
            return count

    async def ready(self) -> None:
        """Wait until it answers."""
        for _ in range(int(PATIENCE / 0.05)):
            if self.process.poll() is not None:
                break
            if await _answers(self.port):
                return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.contender.name} did not start:\n{self.log.read_text(encoding='utf-8')[-2000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def running(contender: Contender, keys: Path, extra: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start it on a store of its own, which is removed with it; the caller may stop it earlier."""
    directory = Path(tempfile.mkdtemp(prefix="statekeeper-bench-", dir=keys.parent))
    port, store, log = _free_port(), directory / "store.db", directory / "log"
    environment = contender.settings(store, keys) | dict(extra or {})
    with log.open("wb") as output, _on_core(SERVER_CORE):
        process = subprocess.Popen(
            [*contender.command, "--port", str(port)], cwd=directory, env=environment, stdout=output, stderr=output
        )
    server = Server(contender, process, port, store, log)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """What is started inside inherits this core; we go back to the load's."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        if LOAD_CORE is not None:
            os.sched_setaffinity(0, {LOAD_CORE})


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _answers(port: int) -> bool:
    """Any answer will do: two of the three have no health to ask for."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.write(f"GET /health/ready HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n".encode())
    status = await reader.readline()
    writer.close()
    return status.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404"))
