"""The service at a glance, on both engines."""

from datetime import timedelta

import pytest

from statekeeper.core.arrivals import SigningKey
from statekeeper.core.errors import Fault
from statekeeper.store import minutes
from statekeeper.store.minutes import Figures
from statekeeper.store.queries.overview import Refused
from statekeeper.store.refusals import Refusal
from statekeeper.store.waiting import Owed
from stores import arrival, number


async def test_an_empty_store_has_sixty_empty_minutes(store, clock):
    found = await store.queries.overview.read()
    assert (found.at, found.states, found.refusals, found.held, found.owed) == (clock.now, {}, {}, 0, [])
    assert (found.p50, found.held_since, found.oldest_due, found.newest_refusals) == (None, None, None, [])
    assert len(found.minutes) == 60
    assert found.minutes[-1].at == clock.now.replace(second=0, microsecond=0)
    assert found.minutes[-1].at - found.minutes[0].at == timedelta(minutes=59)
    assert not any(minute.events for minute in found.minutes)


async def test_sessions_are_told_by_state_and_those_that_have_not_begun_with_them(store):
    await store.end(number(1))
    await store.end(number(2), "error")
    await store.take(arrival(1, "created", number(3)), arrival(3, "completed", number(4)))
    found = await store.queries.overview.read()
    assert found.states == {"completed": 1, "error": 1, "created": 1, "pending": 1}


async def test_what_waits_is_told_with_since_when(store, clock):
    held = clock.now
    await store.take(arrival(2, "completed", number(1)))
    await store.end(number(2))
    due = clock.now
    clock.advance(5)
    found = await store.queries.overview.read()
    assert (found.held, found.held_since) == (1, held)
    assert (found.owed, found.oldest_due) == ([Owed("crm", 1, 0, due)], due)


async def test_minutes_add_up_all_nodes_and_the_hour_all_minutes(store, clock):
    async def add(node, figures):
        await store.run(lambda c, now: minutes.add(c, node, figures, now))

    slow = [0] * 12 + [1]
    await add("a", Figures({"applied": 1}, {"expired": 1}, slow))
    clock.advance(60 * 60)
    await add("a", Figures({"applied": 2}, {"expired": 1}, [10, *[0] * 12]))
    await add("b", Figures({"applied": 3, "held": 1}))
    clock.advance(60)
    await add("b", Figures({"held": 1}, {"media": 2}, slow))
    found = await store.queries.overview.read()
    assert [minute.events for minute in found.minutes[-2:]] == [{"applied": 5, "held": 1}, {"held": 1}]
    assert (found.minutes[-2].p50, found.minutes[-1].p50) == (pytest.approx(0.0005), 5.0)
    assert (found.refusals, found.p99) == ({"expired": 1, "media": 2}, 5.0)


async def test_the_newest_refusals_are_shown_without_their_tokens(store):
    refusal = Refusal((Fault("eventId", "is missing"),), "secret-token", SigningKey("t", None, "{}"))
    for _ in range(12):
        await store.run(lambda c, now: store.journal.refuse(c, refusal, now))
    found = await store.queries.overview.read()
    assert found.newest_refusals == [Refused(found.at, [{"field": "eventId", "detail": "is missing"}])] * 10
    assert "secret-token" not in str(found)
