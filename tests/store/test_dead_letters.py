"""Dead letters, on both engines: who dies, in which portions, and who is due again."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from databases import Clock, rows
from outboxes import LEASE
from statekeeper.core.errors import AlreadyDelivered, NotFound
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt
from statekeeper.store import dead_letters, outbox


async def test_what_is_buried_is_dead_and_that_of_others_is_not(database, run, owe):
    await owe((1,), (2,), (3, "bus"), (4, "crm", "delivered"))
    assert await run(lambda c, now: dead_letters.bury(c, "crm", 500, now)) == 2
    wanted = "SELECT subscriber, status, due_at IS NULL, buried_at IS NULL FROM callbacks ORDER BY callback_id"
    found = await rows(database, wanted)
    assert [(name, status, bool(never), not unburied) for name, status, never, unburied in found] == [
        ("crm", "dead", True, True),
        ("crm", "dead", True, True),
        ("bus", "pending", False, False),
        ("crm", "delivered", True, False),
    ]


def bury_by_the_worst_plan(connection, now):
    """PostgreSQL is left no plan but the one that reads a subquery again for each row."""
    if connection.dialect.name == "postgresql":
        for way in ("hashjoin", "mergejoin", "material", "memoize", "hashagg", "sort", "indexscan", "bitmapscan"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    return dead_letters.bury(connection, "crm", 2, now)


async def test_a_burial_takes_no_more_at_once_than_it_is_told_however_the_database_plans_it(run, owe):
    await owe((1,), (2,), (3,))
    assert [await run(bury_by_the_worst_plan) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("outcome", "verdict", "status"), [(Outcome.DELIVERED, Delivered, "delivered"), (Outcome.FAILED, RetryAt, "dead")]
)
async def test_an_attempt_under_way_counts_for_nothing_but_a_delivery(database, run, owe, outcome, verdict, status):
    await owe((1,))
    (claim,) = await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE))
    await run(lambda c, now: dead_letters.bury(c, "crm", 500, now))
    assert await rows(database, "SELECT outcome, detail FROM attempts") == [("failed", "interrupted")]

    def settle(connection, now):
        follows = verdict(now) if verdict is RetryAt else verdict()
        return outbox.settle(connection, claim, Attempt(outcome, now, 7, None), follows, now)

    assert await run(settle) is (status == "delivered")
    assert await rows(database, "SELECT status, due_at FROM callbacks") == [(status, None)]
    assert await rows(database, "SELECT outcome FROM attempts") == [(str(outcome),)]


@pytest.mark.usefixtures("sessions")
async def test_a_dead_callback_rests_until_it_is_revived_and_its_numbers_go_on(queue, clock: Clock):
    (claim,) = await queue.claim(limit=1)
    await queue.claim()
    await queue.settle(claim, Dead())
    clock.advance(10)
    assert await queue.claim() == []
    await queue.revive(claim.callback_id)
    (again,) = await queue.claim()
    assert (again.number, again.tries) == (2, 0)


@pytest.mark.usefixtures("sessions")
async def test_a_revived_callback_is_fenced_against_the_attempt_that_was_under_way(queue):
    (claim,) = await queue.claim(limit=1)
    await queue.claim()
    await queue.revive(claim.callback_id)
    assert not await queue.settle(claim, Dead())
    (again,) = await queue.claim()
    assert again.number == 2
    assert await queue.attempts() == [(1, "failed", None)]


@pytest.mark.usefixtures("sessions")
async def test_what_is_delivered_is_not_revived(queue):
    (claim,) = await queue.claim(limit=1)
    await queue.settle(claim, Delivered(), Outcome.DELIVERED)
    with pytest.raises(AlreadyDelivered):
        await queue.revive(claim.callback_id)
    with pytest.raises(NotFound):
        await queue.revive(uuid4())


@pytest.mark.usefixtures("sessions")
async def test_an_attempt_that_a_crash_interrupted_is_recorded_even_if_somebody_retries_before_its_lease_is_over(queue):
    (claim,) = await queue.claim(limit=1)
    await queue.claim()
    await queue.revive(claim.callback_id)
    (again,) = await queue.claim()
    await queue.settle(again, Delivered(), Outcome.DELIVERED)
    assert await queue.attempts() == [(1, "failed", "interrupted"), (2, "delivered", None)]


@pytest.mark.usefixtures("sessions")
async def test_of_many_to_be_revived_only_the_dead_are(queue):
    dead, delivered, under_way = await queue.claim()
    await queue.settle(dead, Dead())
    await queue.deliver(delivered)
    ids = [each.callback_id for each in (dead, delivered, under_way)]
    assert await queue._run(lambda c, now: dead_letters.revive_dead(c, ids, now)) == 1
    (again,) = await queue.claim()
    assert again.callback_id == dead.callback_id
    assert await queue.settle(under_way, Dead())


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("sessions")
async def test_one_that_is_being_delivered_is_not_revived(queue, database, clock: Clock):
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    (claim,) = await queue.claim(limit=1)
    async with database.writer.begin() as connection:
        attempt = Attempt(Outcome.DELIVERED, clock.now, 7)
        await connection.run_sync(lambda c: outbox.settle(c, claim, attempt, Delivered(), clock.now))
        reviving = asyncio.create_task(queue.revive(claim.callback_id))
        while not (reviving.done() or (await connection.execute(waiting)).scalar()):
            pass
    with pytest.raises(AlreadyDelivered):
        await reviving
