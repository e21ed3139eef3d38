"""The feed's named consumers, on both engines: how they are moved, and how far each is behind."""

import asyncio

import pytest

from databases import rows
from feeds import ALL, ENDS, FIRST, SECOND, THIRD
from statekeeper.core.errors import NotFound, PositionMoved, QueryRefused, TooManyConsumers
from statekeeper.store import consumers
from statekeeper.store.consumers import Placement
from stores import Store, arrival


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


async def place(store: Store, name: str, position: int | None, **more) -> bool:
    return (await store.run(lambda sync, now: consumers.place(sync, Placement(name, position, **more), now))).new


async def test_one_is_made_and_moved_back_and_forth(store):
    await store.end(FIRST)
    assert await place(store, "crm", 2)
    assert not await place(store, "crm", 0)
    assert await store.queries.consumers.position("crm") == (0, True)
    assert not await place(store, "crm", None, terminal=False)
    assert await store.queries.consumers.position("crm") == (2, False)


async def test_its_lag_is_in_items_of_its_kind_and_in_seconds(store, clock):
    await store.end(FIRST)
    await store.end(SECOND)
    await place(store, "ends", 0)
    await place(store, "steps", 1, terminal=False)
    await place(store, "done", None)
    clock.advance(10)
    found = await store.queries.consumers.all()
    assert [(each.name, each.lag, each.seconds_behind) for each in found.items] == [
        ("done", 0, 0.0),
        ("ends", 2, 11.0),
        ("steps", 3, 11.0),
    ]
    assert found.head == "4"
    assert (await store.queries.consumers.find("ends")).lag == 2


async def test_wherever_it_is_its_lag_is_what_it_would_read(store):
    await store.take(arrival(1, "created", FIRST))
    await store.take(*(arrival(number, name, SECOND) for number, name in ((1, "created"), (2, "completed"))))
    await store.take(arrival(2, "error", FIRST), arrival(1, "created", THIRD))
    for position in range(6):
        await place(store, "ends", position)
        await place(store, "steps", position, terminal=False)
        for name, wanted in (("ends", ENDS), ("steps", ALL)):
            read = (await store.queries.feed.page(position, wanted)).items
            assert (await store.queries.consumers.find(name)).lag == len(read), (name, position)


async def test_two_workers_of_one_name_do_not_undo_one_anothers_moves(store):
    await store.end(FIRST)
    await place(store, "crm", 1)
    await place(store, "crm", 2, expected=1)
    with pytest.raises(PositionMoved):
        await place(store, "crm", 1, expected=1)
    assert await store.queries.consumers.position("crm") == (2, True)


async def test_one_that_does_not_exist_is_expected_nowhere(store):
    with pytest.raises(NotFound):
        await place(store, "crm", 0, expected=0)
    for question in (store.queries.consumers.find("crm"), store.queries.consumers.position("crm")):
        with pytest.raises(NotFound):
            await question


async def test_none_is_placed_beyond_the_head(store):
    with pytest.raises(QueryRefused, match="beyond the head"):
        await place(store, "crm", 1)


async def test_there_are_so_many_and_no_more(store, monkeypatch):
    monkeypatch.setattr(consumers, "MAX_CONSUMERS", 1)
    await place(store, "crm", 0)
    with pytest.raises(TooManyConsumers):
        await place(store, "mail", 0)
    await store.run(lambda sync, _: consumers.remove(sync, "crm"))
    assert await place(store, "mail", 0)
    with pytest.raises(NotFound):
        await store.run(lambda sync, _: consumers.remove(sync, "crm"))


async def test_of_two_nodes_that_make_a_consumer_at_once_one_has_made_it_and_the_other_moves_it(store, monkeypatch):
    looked, admit = asyncio.Event(), consumers._admit
    monkeypatch.setattr(consumers, "_admit", lambda *given: (looked.set(), admit(*given)))
    await store.end(FIRST)
    async with store.database.writer.begin() as connection:
        first = Placement("crm", 0)
        assert (await connection.run_sync(lambda sync: consumers.place(sync, first, store.clock()))).new
        looked.clear()
        second = asyncio.create_task(place(store, "crm", None, terminal=False))
        if store.database.dialect == "postgresql":  # on SQLite nobody looks while somebody writes
            await looked.wait()
    assert await second is False
    assert await rows(store.database, "SELECT position, terminal FROM feed_consumers") == [(2, False)]
    with pytest.raises(PositionMoved):
        await place(store, "crm", 0, expected=0)
