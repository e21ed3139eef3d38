"""The feed's one order, on both engines: positions without a gap, whatever is committed when."""

import asyncio
import random
from uuid import UUID

import pytest
from sqlalchemy import select

import databases
from databases import rows
from feeds import ALL, ENDS, FIRST, SECOND, THIRD, short, walk
from statekeeper.store.tables import FeedHeadRow, table
from stores import Store, arrival


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


async def test_they_are_one_two_three_and_so_on_and_follow_each_sessions_order(store):
    await store.take(arrival(1, "created", FIRST), arrival(1, "created", SECOND))
    await store.take(arrival(2, "expired", SECOND), arrival(2, "completed", FIRST))
    page = await store.queries.feed.page(0, ALL)
    assert [position for position, _, _ in short(page)] == [1, 2, 3, 4]
    assert sorted(short(page)) == short(page)
    assert [each.ordinal for each in page.items if each.session_id == FIRST] == [1, 2]


async def test_they_have_no_gap_whatever_the_batches_are_and_whatever_waits_for_its_turn(store):
    chance = random.Random(7)
    sessions = [UUID(int=number) for number in range(1, 13)]
    coming = [arrival(*event, each) for each in sessions for event in ((1, "created"), (2, "expired"))]
    chance.shuffle(coming)
    while coming:
        size = chance.randint(1, 5)
        await store.take(*coming[:size])
        del coming[:size]
    seen = await walk(store, ALL, limit=5)
    assert [position for position, _, _ in seen] == list(range(1, 25))
    for session in sessions:
        assert [state for _, of, state in seen if of == session.int] == ["created", "expired"]


@pytest.mark.parametrize("committed", [True, False])
async def test_who_comes_second_is_given_none_before_the_first_has_ended(store, committed):
    await store.end(FIRST)
    batch = [arrival(1, "created", SECOND), arrival(2, "completed", SECOND)]
    async with store.database.writer.connect() as first:
        await first.run_sync(lambda c: databases.write(store.journal, c, batch, store.database.now(c)))
        second = asyncio.create_task(store.end(THIRD))
        await asyncio.wait({second}, timeout=0.2)
        assert not second.done()
        assert await store.queries.feed.head() == 2
        await (first.commit() if committed else first.rollback())
    await asyncio.wait_for(second, 10)
    expected = [1, 2, 3] if committed else [1, 3]
    assert [session for _, session, _ in await walk(store, ENDS)] == expected
    assert await store.queries.feed.head() == 2 * len(expected)


async def test_what_is_rolled_back_leaves_no_hole(store):
    await store.end(FIRST)

    def fail(sync, now):
        databases.write(store.journal, sync, [arrival(1, "created", SECOND)], now)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.run(fail)
    await store.end(THIRD)
    assert short(await store.queries.feed.page(2, ALL)) == [(3, 3, "created"), (4, 3, "completed")]
    assert await rows(store.database, "SELECT position, ends FROM feed_heads") == [(4, 2)]


async def test_a_batch_without_a_step_moves_nothing(store):
    await store.take(arrival(2, "completed", FIRST))
    assert await store.queries.feed.head() == 0


async def test_sessions_are_counted_by_state_whatever_comes_and_whatever_is_rolled_back(store, clock):
    chance = random.Random(11)
    names = ("created", "completed", "error", "aborted", "unknown")
    for _ in range(12):
        clock.advance(chance.choice([0, 40]))
        await store.run(lambda c, now: databases.sweep(store.journal, c, now))
        ids = (UUID(int=chance.randint(1, 15)) for _ in range(chance.randint(1, 8)))
        await store.take(*(arrival(chance.randint(1, 3), chance.choice(names), each) for each in ids))
        await store.give_up()
        found = await rows(store.database, "SELECT state, count(*) FROM sessions WHERE ordinal > 0 GROUP BY state")
        async with store.database.reader.connect() as connection:
            kept = (await connection.execute(select(table(FeedHeadRow).c.states))).scalar_one_or_none() or {}
        assert {state: number for state, number in kept.items() if number} == dict(found)
