"""Who waits for a session to change."""

import asyncio
from uuid import UUID

from statekeeper.watchers import Watchers

SESSION, OTHER = UUID(int=1), UUID(int=2)


async def test_a_change_between_the_subscription_and_the_wait_is_not_missed():
    watchers = Watchers()
    with watchers.subscribe(SESSION) as watcher:
        watchers.notify([SESSION])
        assert await watcher.wait(60)
        assert not await watcher.wait(0)


async def test_every_watcher_of_a_session_is_woken_and_nobody_else():
    watchers = Watchers()
    with (
        watchers.subscribe(SESSION) as first,
        watchers.subscribe(SESSION) as second,
        watchers.subscribe(OTHER) as third,
    ):
        waits = [asyncio.create_task(watcher.wait(60)) for watcher in (first, second)]
        await asyncio.sleep(0)
        watchers.notify({SESSION, UUID(int=3)})
        assert await asyncio.gather(*waits) == [True, True]
        assert not await third.wait(0)


async def test_a_wait_ends_with_its_time():
    with Watchers().subscribe(SESSION) as watcher:
        assert not await watcher.wait(0.001)
        assert not await watcher.wait(-1)


async def test_the_end_answers_everybody_and_those_who_come_later():
    watchers = Watchers()
    with watchers.subscribe(SESSION) as first, watchers.subscribe(OTHER) as second:
        waits = [asyncio.create_task(watcher.wait(60)) for watcher in (first, second)]
        await asyncio.sleep(0)
        watchers.close()
        assert await asyncio.gather(*waits) == [False, False]
        assert not await first.wait(60)
    with watchers.subscribe(SESSION) as late:
        assert not await late.wait(60)


async def test_nothing_is_remembered_of_those_who_have_gone():
    watchers = Watchers()
    watchers.notify([SESSION])
    with watchers.subscribe(SESSION):
        with watchers.subscribe(SESSION):
            pass
        assert set(watchers._watching) == {SESSION}
    assert not watchers._watching
