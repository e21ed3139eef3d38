"""The tasks that must live: a death is noticed once, and an end that is wanted is none."""

import asyncio

import pytest
from structlog.testing import capture_logs

from statekeeper.supervisor import Supervisor


@pytest.fixture
def deaths() -> list[str]:
    return []


@pytest.fixture
def supervisor(deaths) -> Supervisor:
    return Supervisor(lambda: deaths.append("death"))


async def fail():
    raise RuntimeError("sabotage")


async def idle():
    await asyncio.Event().wait()


async def test_nothing_is_alive_before_it_is_started(supervisor):
    assert not supervisor.alive


async def test_all_is_well_while_every_task_runs(supervisor, deaths):
    supervisor.start("one", idle())
    supervisor.start("two", idle())
    await asyncio.sleep(0)
    assert supervisor.alive
    await supervisor.end("one")
    assert supervisor.alive
    await supervisor.end("two")
    assert (supervisor.died, deaths) == (None, [])


async def test_the_first_death_is_told_once_with_its_cause(supervisor, deaths):
    with capture_logs() as logs:
        failing = [supervisor.start("one", fail()), supervisor.start("two", fail())]
        await asyncio.wait(failing)
        await asyncio.sleep(0)
    assert (supervisor.alive, supervisor.died, deaths) == (False, "one", ["death"])
    (entry,) = logs
    assert (entry["event"], entry["task"], str(entry["exc_info"])) == ("task_died", "one", "sabotage")
    await supervisor.end("one")
    await supervisor.end("two")


@pytest.mark.parametrize("ending", ["return", "cancel"])
async def test_a_task_that_ends_by_itself_has_died(supervisor, deaths, ending):
    task = supervisor.start("one", asyncio.sleep(0) if ending == "return" else idle())
    await asyncio.sleep(0)
    if ending == "cancel":
        task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert (supervisor.died, deaths) == ("one", ["death"])


@pytest.mark.parametrize("waits", [False, True])
async def test_a_task_is_let_finish_what_it_has_in_hand(supervisor, deaths, waits):
    stop, finished = asyncio.Event(), []

    async def work():
        await stop.wait()
        finished.append(True)

    async def finish_later():
        await asyncio.sleep(0)
        stop.set()

    supervisor.start("one", work())
    await supervisor.end("one", finish_later if waits else stop.set)
    assert (finished, deaths) == ([True], [])


async def test_a_task_that_fails_while_it_is_ended_is_no_death(supervisor, deaths):
    async def fail_when_cancelled():
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("sabotage")

    supervisor.start("one", fail_when_cancelled())
    await asyncio.sleep(0)
    await supervisor.end("one")
    assert (supervisor.died, deaths) == (None, [])
