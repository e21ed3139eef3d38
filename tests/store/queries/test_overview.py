"""The service at a glance, on both engines."""

from datetime import timedelta

import pytest

from statekeeper.core.arrivals import SigningKey
from statekeeper.core.errors import Fault
from statekeeper.core.retry import Attempt, Outcome, RetryAt
from statekeeper.core.statechart import Statechart
from statekeeper.store import minutes
from statekeeper.store.charts import Charts
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


async def test_a_session_that_comes_back_to_where_it_began_is_counted_once(store):
    states = {"pending": {"on": {"session.created": "created"}}, "completed": {"type": "final"}}
    states["created"] = {"on": {"session.reset": "pending", "session.completed": "completed"}}
    store.journal.charts = Charts(Statechart.compile({"id": "loop", "initial": "pending", "states": states}))
    await store.take(arrival(1, "created", number(1)), arrival(2, "reset", number(1)), arrival(2, "reset", number(2)))
    assert (await store.queries.overview.read()).states == {"pending": 2}


async def test_what_waits_is_told_with_since_when(store, clock):
    held = clock.now
    await store.take(arrival(2, "completed", number(1)))
    await store.end(number(2))
    due = clock.now
    clock.advance(5)
    found = await store.queries.overview.read()
    assert (found.held, found.held_since) == (1, held)
    assert (found.owed, found.oldest_due) == ([Owed("crm", 1, 0, due)], due)


async def test_what_is_to_be_sent_only_later_is_not_due(store, clock):
    await store.end(number(1), "error")
    later = clock.now + timedelta(hours=1)
    await store.settle("crm", Attempt(Outcome.FAILED, clock.now, 7), RetryAt(later))
    assert (await store.queries.overview.read()).oldest_due == clock.now
    await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), RetryAt(later))
    assert (await store.queries.overview.read()).oldest_due is None
    clock.now = later
    assert (await store.queries.overview.read()).oldest_due == later


async def test_a_minute_tells_what_half_of_its_answers_took_and_what_the_slowest_did(store):
    answers = Figures({"applied": 100}, {}, [95, *[0] * 11, 5])
    await store.run(lambda c, now: minutes.add(c, "a", answers, now))
    (*_, last) = (await store.queries.overview.read()).minutes
    assert (last.p50 < 0.001, last.p99) == (True, 5.0)


async def test_minutes_that_a_clock_since_set_back_has_written_are_left_out(store, clock):
    clock.advance(300)
    await store.run(lambda c, now: minutes.add(c, "a", Figures({"applied": 1}), now))
    clock.advance(-300)
    assert not any(minute.events for minute in (await store.queries.overview.read()).minutes)


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
    for index in range(12):
        refusal = Refusal((Fault(f"f{index}", "is missing"),), "secret-token", SigningKey("t", None, "{}"))
        await store.run(lambda c, now, refusal=refusal: store.journal.refuse(c, refusal, now))
    found = await store.queries.overview.read()
    newest = [Refused(found.at, [{"field": f"f{index}", "detail": "is missing"}]) for index in range(11, 1, -1)]
    assert found.newest_refusals == newest
    assert "secret-token" not in str(found)
