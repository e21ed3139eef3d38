"""The real service as a child of the demo: `statekeeper serve` with a configuration of its own, and gone in the end.

It listens on any free port and tells it in its log. It is ended when the block is left, however that happens; should
the demo itself be killed, the kernel ends it (Linux).
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from statekeeper.core.errors import StatekeeperError

_LAUNCH: Final = """
import ctypes, os, runpy, signal, sys
try:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (AttributeError, OSError):
    pass
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit(1)
runpy.run_module("statekeeper", run_name="__main__", alter_sys=True)
"""
"""Ask to be ended with the parent (PR_SET_PDEATHSIG), see that it still lives, and be `python -m statekeeper`."""

_PATIENCE: Final = 30.0
_GRACE: Final = 15.0
_TICK: Final = 0.05
_TAIL: Final = 2000


class NotServing(StatekeeperError):
    """The service did not start, or stopped taking webhooks; the message ends with its log."""


@dataclass(slots=True)
class ServiceProcess:
    """A running service; `exit_code` is known once it has been stopped."""

    log: Path
    process: Process
    url: str = ""
    exit_code: int | None = None

    async def await_ready(self) -> None:
        """Wait until it answers that it is ready; raises `NotServing`."""
        try:
            async with asyncio.timeout(_PATIENCE), httpx.AsyncClient(trust_env=False) as client:
                while not await self._is_ready(client):  # noqa: ASYNC110 -- another process sets no event of ours
                    await asyncio.sleep(_TICK)
        except TimeoutError as error:
            raise NotServing(f"The service was not ready within {_PATIENCE:g} s.\n{self.tail()}") from error

    async def stop(self) -> None:
        """End it by SIGTERM, and by SIGKILL where that does not help."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(_GRACE):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        self.exit_code = self.process.returncode

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        if self.process.returncode is not None:
            raise NotServing(f"The service ended with exit code {self.process.returncode}.\n{self.tail()}")
        self.url = self.url or _address(self.log)
        if not self.url:
            return False
        try:
            answer = await client.get(f"{self.url}/health/ready")
        except httpx.TransportError:
            return False
        return answer.is_success


def _address(log: Path) -> str:
    """Where it says it listens, or nothing yet."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("{") and (entry := json.loads(line))["event"] == "serving":
            return f"http://{entry['host']}:{entry['port']}"
    return ""


@asynccontextmanager
async def serve(directory: Path, config: Path) -> AsyncIterator[ServiceProcess]:
    """The service with this configuration, ready, working in this directory, until the block is left."""
    log = directory / "service.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STATEKEEPER_")}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _LAUNCH, str(os.getpid()), "serve", "--config", str(config)),
            cwd=directory,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    service = ServiceProcess(log, process)
    try:
        await service.await_ready()
        yield service
    finally:
        await service.stop()
