"""Which index a list is walked along, on both engines: what is rare is gone through, the rest is walked by time."""

from dataclasses import replace

import pytest

from statekeeper.store import narrowing
from statekeeper.store.narrowing import ListingFilter, narrow
from stores import Store, arrival, number

BY_TIME, BY_ID, BY_ORIGIN = "ix_sessions_seen", "sqlite_autoindex_sessions_1", "ix_sessions_origin"
ORIGIN = {"flow_id": "a", "environment": "live"}


@pytest.fixture
async def store(database, clock, monkeypatch):
    """Two sessions ended in an error and three well; two is few."""
    for name in ("FEW", "FEW_DEAD", "FEW_IDS"):
        monkeypatch.setattr(narrowing, name, 2)
    store = Store(database, clock)
    for index, name in enumerate(("error", "error", "completed", "completed", "completed")):
        await store.end(number(index), name, **ORIGIN)
    return store


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (ListingFilter(), BY_TIME),
        (ListingFilter(states=("error",)), "ix_sessions_state"),
        (ListingFilter(states=("completed",)), BY_TIME),
        (ListingFilter(states=("error", "completed")), BY_TIME),
        (ListingFilter(dead=True), BY_ID),
        (ListingFilter(states=("completed",), gap=True), "ix_sessions_with_gap"),
        (ListingFilter(states=("completed",), held=True, gap=True), "ix_sessions_gap"),
        (ListingFilter(states=("error",), contradicted=True, gap=True), "ix_sessions_contradicted"),
        (ListingFilter(environment="live"), BY_ORIGIN),
        (ListingFilter(flow_id="a", states=("completed",)), BY_ORIGIN),
        (ListingFilter(flow_id="a", states=("error",)), "ix_sessions_state"),
        (ListingFilter(part="0000000"), BY_TIME),
        (ListingFilter(part="0000", gap=True), "ix_sessions_with_gap"),
        (ListingFilter(part="0000", environment="live"), BY_ORIGIN),
        (ListingFilter(part=number(1).hex), BY_ID),
        (ListingFilter(part=number(1).hex, gap=True), BY_ID),
        (ListingFilter(part="00000000"), BY_TIME),
        (ListingFilter(part="00000000", environment="live"), BY_ORIGIN),
        (ListingFilter(part="00000001"), BY_TIME),
    ],
)
async def test_the_index_is_that_of_what_is_rarest(store, wanted, index):
    assert (await store.run(lambda c, _: narrow(c, wanted))).index == index


async def test_an_environment_is_walked_flow_by_flow_and_by_none_that_it_lacks(store):
    await store.end(number(9), flow_id="b", environment="test")
    flows = lambda **origin: store.run(lambda c, _: len(narrow(c, ListingFilter(**origin)).branches))  # noqa: E731
    assert [await flows(environment=each) for each in ("live", "test", "nowhere")] == [2, 2, 1]
    assert await flows(flow_id="a") == 3
    assert await flows(**ORIGIN) == 0


async def test_what_is_held_is_gone_through_only_while_it_is_few(store):
    held = ListingFilter(held=True)
    for index in range(3):
        assert (await store.run(lambda c, _: narrow(c, held))).index == "ix_sessions_gap"
        await store.take(arrival(2, "completed", number(10 + index)))
    assert (await store.run(lambda c, _: narrow(c, held))).index == "ix_sessions_with_gap"


async def test_dead_callbacks_are_gone_through_only_while_they_are_few(store, sessions, run):
    dead = ListingFilter(dead=True)
    assert (await run(lambda c, _: narrow(c, dead))).index == BY_ID
    await run(lambda c, _: c.exec_driver_sql("UPDATE callbacks SET status = 'dead', due_at = NULL"))
    assert (await run(lambda c, _: narrow(c, dead))).index == BY_TIME
    assert (await run(lambda c, _: narrow(c, replace(dead, environment="live")))).index == BY_ORIGIN
