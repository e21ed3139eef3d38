"""What waits in the store, and whether it answers, on both engines."""

from datetime import timedelta

from sqlalchemy import text

from statekeeper.core.health import Health, State
from statekeeper.core.retry import Attempt, Outcome, RetryAt
from statekeeper.store import health
from statekeeper.store.queries.monitoring import Gauges
from stores import SESSION, arrival, number


async def test_gauges_of_an_empty_store_are_nought(store):
    assert await store.queries.monitoring.gauges() == Gauges(0, 0.0, 0.0)


async def test_gauges_tell_what_waits_and_for_how_long(store, clock):
    await store.take(arrival(2, "completed", number(1)))
    await store.end(number(2), "error")
    await store.run(lambda c, _: c.execute(text("UPDATE callbacks SET status='dead' WHERE subscriber='mail'")))
    clock.advance(9.999)
    gauges = await store.queries.monitoring.gauges()
    assert gauges == Gauges(1, 10.999, 9.999, {"crm": 1}, {"mail": 1})
    assert (gauges.unloaded({"crm"}), gauges.unloaded(())) == (0, 1)


async def test_gauges_tell_the_state_of_every_endpoint_that_ever_failed(store):
    await store.run(lambda c, now: health.disable(c, "crm", "HTTP 410", now))
    await store.run(lambda c, now: health.save(c, "mail", Health(failures=1, failing_since=now), now))
    assert (await store.queries.monitoring.gauges()).circuits == {"crm": State.DISABLED, "mail": State.CLOSED}


async def test_what_is_not_due_yet_is_not_overdue(store, clock):
    await store.end(SESSION)
    await store.settle("crm", Attempt(Outcome.FAILED, clock.now, 1), RetryAt(clock.now + timedelta(hours=1)))
    assert (await store.queries.monitoring.gauges()).oldest_due == 0.0


async def test_a_store_that_answers_is_told_by_a_ping(store):
    await store.queries.monitoring.ping()
