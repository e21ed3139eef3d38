"""Whose turn it is in a session, and what is parked behind one that is put off, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

import senders
from databases import rows
from statekeeper.core.acts import Retry
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt
from statekeeper.store import dead_letters, outbox

LEASE = timedelta(seconds=50)


class Steps:
    """A session's callbacks in order, each call in a transaction of its own."""

    def __init__(self, database):
        self.database = database

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def owe(self, *ordinals, seed=0):
        return await self.run(lambda c, now: senders.owe(c, now, ordinals=ordinals, seed=seed))

    async def claim(self, limit=10):
        return await self.run(lambda c, now: outbox.claim(c, "crm", limit, now, LEASE, ordered=True))

    async def settle(self, claim, outcome, wait=0.0):
        def job(connection, now):
            verdict = Delivered() if outcome is Outcome.DELIVERED else RetryAt(now + timedelta(seconds=wait))
            return outbox.settle(connection, claim, Attempt(outcome, now, 7), verdict, now)

        return await self.run(job)

    async def die(self, claim):
        return await self.run(lambda c, now: outbox.settle(c, claim, Attempt(Outcome.FAILED, now, 7), Dead(), now))

    async def due(self):
        """The seconds until each is due."""
        now = self.database.clock()

        def job(connection, _now):
            columns = (outbox._callbacks.c.ordinal, outbox._callbacks.c.due_at)
            found = connection.execute(outbox.select(*columns).order_by(columns[0])).all()
            return [(ordinal, due_at and (due_at - now).total_seconds()) for ordinal, due_at in found]

        return await self.run(job)


@pytest.fixture
def steps(database):
    return Steps(database)


async def test_what_is_behind_one_that_is_put_off_is_parked_with_it_and_burns_nothing(database, steps, clock):
    await steps.owe(1, 2, 3)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 30)
    assert await steps.claim() == []
    assert await steps.due() == [(1, 30), (2, 30), (3, 30)]
    assert await rows(database, "SELECT tries, attempt FROM callbacks ORDER BY ordinal") == [(1, 1), (0, 0), (0, 0)]
    clock.advance(30)
    for ordinal in (1, 2, 3):
        (claim,) = await steps.claim()
        assert claim.ordinal == ordinal
        await steps.settle(claim, Outcome.DELIVERED)


async def test_nothing_is_parked_for_longer_than_a_minute(steps, clock):
    """Who releases it may have looked before it was parked: it is looked at again, and parked again if it must be."""
    await steps.owe(1, 2)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 86_400)
    for _ in range(2):
        assert await steps.claim() == []
        assert (await steps.due())[1] == (2, 60)
        clock.advance(60)


async def test_what_is_behind_an_attempt_under_way_is_not_parked(steps):
    await steps.owe(1, 2)
    await steps.claim()
    assert await steps.claim() == []
    assert await steps.due() == [(1, 50), (2, 0)]


async def test_a_claim_that_finds_all_it_asked_for_parks_nothing(steps):
    await steps.owe(1, 2)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 300)
    await steps.owe(1, seed=1)
    assert len(await steps.claim(1)) == 1
    assert (2, 0) in await steps.due()


async def test_one_that_is_sent_again_on_request_releases_what_was_parked_behind_it(steps, clock):
    first_id, _ = await steps.owe(1, 2)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 300)
    await steps.claim()
    clock.advance(1)
    await steps.run(lambda c, now: dead_letters.revive(c, Retry(first_id), now))
    assert await steps.due() == [(1, 0), (2, 0)]


async def test_a_release_moves_neither_an_attempt_under_way_nor_one_that_was_put_off_itself(steps):
    """Else the one would go out a second time beside itself, and the other before its time."""
    first_id, *_ = await steps.owe(1, 2, 3)
    (first,) = await steps.claim()
    await steps.die(first)
    (second,) = await steps.claim()
    await steps.run(lambda c, now: dead_letters.revive(c, Retry(first_id), now))
    assert await steps.due() == [(1, 0), (2, 50), (3, 0)]
    await steps.settle(second, Outcome.FAILED, 300)
    (again,) = await steps.claim()
    await steps.die(again)
    await steps.run(lambda c, now: dead_letters.revive(c, Retry(first_id), now))
    assert (await steps.due())[1] == (2, 300)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_claim_is_not_kept_waiting_to_park_what_another_node_holds(steps):
    await steps.owe(1, 2)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 30)
    async with steps.database.writer.begin() as connection:
        await connection.execute(outbox.select(outbox._callbacks).with_for_update())
        assert await steps.claim() == []
    assert await steps.due() == [(1, 30), (2, 0)]


async def test_sessions_are_parked_each_on_its_own(steps):
    await steps.owe(1, 2)
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 300)
    await steps.owe(3, seed=1)
    (other,) = await steps.claim()
    assert other.ordinal == 3
    assert await steps.due() == [(1, 300), (2, 60), (3, 50)]


async def test_what_is_pending_has_a_time_at_which_it_is_due_and_nothing_else_has(database, steps, clock):
    """Whose turn it is is told by that time alone."""

    async def states():
        assert await rows(database, "SELECT 1 FROM callbacks WHERE (status = 'pending') <> (due_at IS NOT NULL)") == []
        return [status for (status,) in await rows(database, "SELECT status FROM callbacks ORDER BY ordinal")]

    first_id, _, _ = await steps.owe(1, 2, 3)
    (first,) = await steps.claim()
    assert await states() == ["pending"] * 3
    await steps.run(lambda c, now: outbox.release(c, first, now))
    (first,) = await steps.claim()
    await steps.settle(first, Outcome.FAILED, 30)
    await steps.claim()
    assert await states() == ["pending"] * 3
    clock.advance(30)
    (first,) = await steps.claim()
    await steps.run(lambda c, now: outbox.settle(c, first, Attempt(Outcome.GAVE_UP, now, 7), Dead(), now))
    assert await states() == ["dead", "pending", "pending"]
    (second,) = await steps.claim()
    await steps.settle(second, Outcome.DELIVERED)
    assert await states() == ["dead", "delivered", "pending"]
    await steps.run(lambda c, now: dead_letters.revive(c, Retry(first_id), now))
    assert await states() == ["pending", "delivered", "pending"]
    await steps.run(lambda c, now: dead_letters.bury(c, "crm", 500, now))
    assert await states() == ["dead", "delivered", "dead"]


DELIVERED = text(
    "INSERT INTO callbacks (session_id, ordinal, subscriber, callback_id, state, body, status, attempt, tries,"
    " created_at) SELECT gen_random_uuid(), 2, 'crm', gen_random_uuid(), 'completed', '', 'delivered', 1, 0, now()"
    " FROM generate_series(1, 3000)"
)


@pytest.mark.parametrize("engine_name", ["postgresql"])
async def test_who_is_before_is_looked_up_by_session_though_the_statistics_know_of_nothing_that_is_pending(database):
    """By the index of what is pending, a claim would read all of it for each that is due."""
    asked = []

    def plans(connection):
        now = database.now(connection)
        for statement in (DELIVERED, text("ANALYZE callbacks")):
            connection.execute(statement)
        senders.owe(connection, now, ordinals=(1, 2))
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
        outbox.claim(connection, "crm", 8, now, LEASE, ordered=True)
        questions = [each for each in asked if " AS earlier" in each[0]]
        return [connection.exec_driver_sql(f"EXPLAIN {each[0]}", each[1]).scalars().all() for each in questions]

    async with database.writer.connect() as connection:
        found = await connection.run_sync(plans)
    scans = [line for plan in found for line in plan if "on callbacks earlier" in line]
    assert len(found) == 2
    assert len(scans) == 4
    assert [line for line in scans if "using pk_callbacks" not in line] == []
