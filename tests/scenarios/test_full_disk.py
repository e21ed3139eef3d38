"""A store that has no room: 503 and not ready, until there is room again; then it goes on by itself, nothing lost.

Three ways to have no room: a page limit of SQLite's own, a limit on the size of the process's files, and, where a file
system may be mounted, a disk that is really full.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

import forge
from apps import asking, settings_in
from receiver import receiving
from serving import Serving
from statekeeper.app import Service

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
MEGABYTE = 1024 * 1024
CAP_SYS_ADMIN = 21
PADDING = "x" * 40_000


@dataclass
class Space:
    """Where a store has little room: `take` leaves it none, `give` gives it enough."""

    directory: Path
    take: Callable[[Serving], None]
    give: Callable[[Serving], None]


@contextmanager
def quota(directory: Path) -> Iterator[Space]:
    """Files may be no larger than the largest of the store's is now, and a little."""

    def limit(service: Serving, size: int) -> None:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def take(service: Serving) -> None:
        limit(service, max(each.stat().st_size for each in directory.iterdir()) + 100_000)

    yield Space(directory, take, lambda service: limit(service, resource.RLIM_INFINITY))


@contextmanager
def disk(directory: Path) -> Iterator[Space]:
    """A file system of its own, filled by somebody else's file."""
    filler = directory / "filler"

    def take(_service: Serving) -> None:
        room = os.statvfs(directory)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - 100_000)

    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", directory], check=True)  # noqa: S607 -- of the PATH
    try:
        yield Space(directory, take, lambda _service: filler.unlink())
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)  # noqa: S607 -- same


def may_mount() -> bool:
    status = Path("/proc/self/status").read_text()
    capabilities = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(capabilities.split()[1], 16) >> CAP_SYS_ADMIN & 1)


def large_story(seed: int) -> list[str]:
    """Tokens of a session, so large that a few of them need room."""
    return [forge.token({**data, "padding": PADDING}) for data in forge.story(seed)]


@pytest.mark.parametrize("limited", [quota, disk] if may_mount() else [quota])
def test_a_service_without_room_says_so_and_goes_on_by_itself_when_there_is_some(tmp_path, limited):
    (tmp_path / "store").mkdir()
    with receiving() as receiver, limited(tmp_path / "store") as space:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        with Serving(tmp_path, space.directory / "store.db", endpoints=endpoints, measured=False) as service:
            tokens = [token for seed in range(10) for token in large_story(seed)]
            assert {service.post(token).status_code for token in tokens[:4]} == {200}
            space.take(service)
            answers = {token: service.post(token) for token in tokens[4:]}
            refused = {token: answer for token, answer in answers.items() if answer.status_code != 200}
            check_refusals(service, refused)
            space.give(service)
            service.wait_until(service.is_ready)
            check_nothing_is_lost(service, tokens, set(refused))
            service.wait_until(lambda: service.sql("SELECT DISTINCT status FROM callbacks") == [("delivered",)])
            assert len(receiver.requests) >= 10


def check_refusals(service: Serving, refused: dict) -> None:
    assert refused
    for answer in refused.values():
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"
    check_unready(service)
    failures = len(service.logged("store_unavailable"))
    service.wait_until(lambda: len(service.logged("store_unavailable")) > failures + 1)
    check_unready(service)
    assert service.http.get("/health/live").status_code == 200
    assert service.process.poll() is None


def check_unready(service: Serving) -> None:
    ready = service.http.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["writes"]) == (503, False)


def check_nothing_is_lost(service: Serving, tokens: list[str], refused: set[str]) -> None:
    for token in tokens:
        answer = service.post(token)
        assert answer.status_code == 200
        assert (answer.json()["disposition"] == "duplicate") == (token not in refused)
    assert service.sql("SELECT state, count(*) FROM sessions GROUP BY state") == [("completed", 10)]
    assert service.sql("SELECT count(*) FROM callbacks") == [(10,)]
    assert service.sql("PRAGMA integrity_check") == [("ok",)]


async def test_a_store_at_its_page_limit_is_not_ready_before_it_has_room_for_a_batch(tmp_path):
    async with Service(settings_in(tmp_path)).running() as service, asking(service) as http:
        await limit_pages(service, 1)
        refused = await http.post("/webhooks/idnow", content=large_story(1)[0])
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        await service.engine.close_gaps()
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["writes"]) == (503, False)
        await limit_pages(service, 100_000)
        assert (await http.post("/webhooks/idnow", content=large_story(1)[0])).json()["disposition"] == "applied"
        assert (await http.get("/health/ready")).status_code == 200


async def limit_pages(service: Service, pages: int) -> None:
    """SQLite takes a limit below the file's present size for that size."""
    async with service.database.writer.connect() as connection:
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))
