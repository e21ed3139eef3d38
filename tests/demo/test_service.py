import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from statekeeper.demo import service as module
from statekeeper.demo.service import NotServing, ServiceProcess, serve
from statekeeper.simulator.issuer import serve_issuer
from statekeeper.simulator.listener import bind

KEEPER = """
import asyncio, sys
from pathlib import Path
from statekeeper.demo.service import serve

async def keep(directory):
    async with serve(directory, directory / "statekeeper.toml") as service:
        print(service.process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(keep(Path(sys.argv[1])))
"""


@pytest.fixture
async def config(tmp_path: Path) -> AsyncIterator[Path]:
    async with serve_issuer() as issuer:
        path = tmp_path / "statekeeper.toml"
        database = f'database_url = "sqlite:///{tmp_path}/statekeeper.db"'
        path.write_text(f'{database}\nport = 0\n[idnow]\nissuer = "{issuer.url}"\naudience = ["us"]\n')
        yield path


async def test_the_service_is_ready_while_the_block_lasts_and_ends_well(config: Path):
    async with serve(config.parent, config) as service, httpx.AsyncClient() as client:
        assert (await client.get(f"{service.url}/health/ready")).status_code == 200
        assert service.exit_code is None
    assert service.exit_code == 0
    with pytest.raises(ProcessLookupError):
        os.kill(service.process.pid, 0)


async def test_the_environments_settings_do_not_reach_it(config: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STATEKEEPER_PORT", "no number")
    async with serve(config.parent, config) as service:
        assert service.url


async def test_it_ends_when_the_block_fails(config: Path):
    with pytest.raises(ZeroDivisionError):
        async with serve(config.parent, config) as service:
            _ = 1 / 0
    assert service.exit_code == 0


async def test_a_service_that_does_not_start_is_told_with_its_log(tmp_path: Path):
    config = tmp_path / "statekeeper.toml"
    config.write_text("nonsense = 1\n")
    with pytest.raises(NotServing, match=r"exit code 2\.\n(.|\n)*nonsense"):
        async with serve(tmp_path, config):
            pass


async def test_a_service_that_is_never_ready_is_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    monkeypatch.setattr(module, "_LAUNCH", "import sys; print('starting', flush=True); sys.stdin = open(0); input()")
    monkeypatch.setattr(asyncio.subprocess, "DEVNULL", asyncio.subprocess.PIPE)
    with pytest.raises(NotServing, match="not ready within"):
        async with serve(tmp_path, tmp_path / "statekeeper.toml"):
            pass


async def test_a_service_that_says_where_it_listens_but_does_not_answer_is_waited_for(tmp_path: Path):
    log = tmp_path / "service.log"
    with bind() as (_, address):
        pass
    entry = {"event": "serving", "host": "127.0.0.1", "port": httpx.URL(address).port}
    log.write_text("no json\n" + json.dumps({"event": "starting"}) + "\n" + json.dumps(entry) + "\n")
    process = await asyncio.create_subprocess_exec("sleep", "60")
    service = ServiceProcess(log, process)
    async with httpx.AsyncClient() as client:
        assert not await service._is_ready(client)
    assert service.url == address
    await service.stop()


async def test_a_service_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_GRACE", 0.1)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", deaf, stdout=asyncio.subprocess.PIPE)
    await process.stdout.readline()
    service = ServiceProcess(tmp_path / "service.log", process)
    await service.stop()
    assert service.exit_code == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT])
async def test_the_service_does_not_survive_its_parent(config: Path, death: signal.Signals):
    parent = subprocess.Popen(  # noqa: ASYNC220 -- it starts at once
        [sys.executable, "-c", KEEPER, config.parent], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    line = await asyncio.to_thread(parent.stdout.readline)
    child = os.pidfd_open(int(line))
    try:
        parent.send_signal(death)
        gone, _, _ = await asyncio.to_thread(select.select, [child], [], [], 20)
        assert gone
    finally:
        os.close(child)
        parent.communicate()
