"""The callbacks as a queue: leases, fences, and what a crash leaves behind, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from databases import Clock, rows
from outboxes import LEASE
from statekeeper.core.retry import Dead, Delivered, Outcome, RetryAt
from statekeeper.store import outbox, schema
from statekeeper.store.database import Database


@pytest.mark.usefixtures("sessions")
async def test_those_to_whom_something_is_due_are_told_from_the_others(queue, clock):
    async def due(*names):
        return await queue._run(lambda c, now: outbox.due_among(c, names, now))

    assert await due("crm", "nobody", "o'brien \u00fc") == {"crm"}
    claims = await queue.claim("crm")
    assert await due("crm", "mail") == {"mail"}
    await queue.deliver(claims[0])
    clock.advance(LEASE.total_seconds())
    assert await due("crm") == {"crm"}
    assert await due() == set()


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_who_is_due_is_read_from_the_index_of_what_is_pending_though_there_are_no_statistics(database):
    statement = str(outbox._DUE_AMONG["sqlite"].compile(dialect=database.writer.dialect))
    plan = await rows(database, "EXPLAIN QUERY PLAN " + statement.replace("?", "'[]'"))
    assert [row[3] for row in plan if "callbacks" in row[3]] == [
        "SEARCH callbacks USING INDEX ix_callbacks_due (subscriber=?)"
    ]


@pytest.mark.usefixtures("sessions")
async def test_a_claim_takes_no_more_than_asked_for_and_only_its_own_subscribers(queue):
    claims = await queue.claim("crm", 2)
    assert len(claims) == 2
    assert {claim.subscriber for claim in claims} == {"crm"}
    assert all(claim.number == 1 and claim.tries == 0 for claim in claims)
    assert len(await queue.claim("crm")) == 1
    assert len(await queue.claim("mail")) == 3


@pytest.mark.usefixtures("sessions")
async def test_a_claimed_callback_is_nobody_elses_until_its_lease_runs_out(queue, clock: Clock):
    assert len(await queue.claim()) == 3
    assert await queue.claim() == []
    clock.advance(49.999)
    assert await queue.claim() == []
    clock.advance(0.001)
    assert [claim.number for claim in await queue.claim()] == [2, 2, 2]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.usefixtures("sessions")
async def test_what_another_node_is_about_to_claim_is_passed_over_and_not_waited_for(queue, database, clock, ordered):
    async with database.writer.begin() as connection:
        first = await connection.run_sync(lambda c: outbox.claim(c, "crm", 2, clock.now, LEASE, ordered=ordered))
        second = await queue.claim(ordered=ordered)
    assert (len(first), len(second)) == (2, 1)
    assert len({claim.callback_id for claim in first + second}) == 3


@pytest.mark.usefixtures("sessions")
async def test_an_attempt_that_a_crash_interrupted_is_recorded_and_uses_up_no_entry(queue, clock: Clock):
    await queue.claim(limit=1)
    clock.advance(50)
    again = (await queue.claim(limit=3))[-1]
    retried = [claim for claim in [again, *await queue.claim()] if claim.number == 2] or [again]
    assert all(claim.tries == 0 for claim in retried)
    assert await queue.attempts() == [(1, "failed", "interrupted")]


@pytest.mark.usefixtures("sessions")
async def test_a_failure_waits_for_its_next_entry(queue, clock: Clock):
    (claim,) = await queue.claim(limit=1)
    await queue.claim()
    assert await queue.settle(claim, RetryAt(clock.now + timedelta(seconds=5)), detail="HTTP 503")
    assert await queue.claim() == []
    clock.advance(5)
    (again,) = await queue.claim()
    assert (again.callback_id, again.number, again.tries) == (claim.callback_id, 2, 1)
    assert await queue.attempts() == [(1, "failed", "HTTP 503")]


@pytest.mark.usefixtures("sessions")
async def test_what_was_said_is_kept_with_its_attempt_and_a_receipt_with_its_callback(queue, clock: Clock, database):
    (claim,) = await queue.claim(limit=1)
    await queue.claim()
    page = "<h1>GRÜN 😀</h1>\n" + "\ufffd" * 4000
    await queue.settle(claim, RetryAt(clock.now), detail="HTTP 503", response=page)
    (again,) = await queue.claim()
    await queue.deliver(again, response="ok", receipt="Ü" * 200)
    assert await rows(database, "SELECT response FROM attempts ORDER BY number") == [(page,), ("ok",)]
    found = await rows(database, "SELECT receipt FROM callbacks WHERE status = 'delivered'")
    assert found == [("Ü" * 200,)]


@pytest.mark.parametrize("receipt", [None, "the first"])
@pytest.mark.usefixtures("sessions")
async def test_the_first_delivery_decides_the_receipt_and_a_second_one_is_only_recorded(
    queue, clock: Clock, database, receipt
):
    (late,) = await queue.claim(limit=1)
    clock.advance(60)
    claims = {claim.callback_id: claim for claim in await queue.claim()}
    await queue.deliver(claims[late.callback_id], receipt=receipt)
    assert not await queue.deliver(late, response="late", receipt="the second")
    found = await rows(database, "SELECT receipt FROM callbacks WHERE status = 'delivered'")
    assert found == [(receipt,)]
    assert await rows(database, "SELECT response FROM attempts WHERE response IS NOT NULL") == [("late",)]


@pytest.mark.usefixtures("sessions")
async def test_a_failure_leaves_no_receipt(queue, clock: Clock, database):
    (claim,) = await queue.claim(limit=1)
    await queue.settle(claim, Dead(), receipt="none of a delivery")
    assert await rows(database, "SELECT DISTINCT receipt FROM callbacks") == [(None,)]


@pytest.mark.usefixtures("sessions")
async def test_a_late_workers_failure_changes_nothing(queue, clock: Clock):
    (late,) = await queue.claim(limit=1)
    clock.advance(60)
    claims = {claim.callback_id: claim for claim in await queue.claim()}
    assert not await queue.settle(late, Dead(), Outcome.GAVE_UP)
    assert await queue.settle(claims[late.callback_id], Delivered(), Outcome.DELIVERED)


@pytest.mark.usefixtures("sessions")
async def test_a_late_workers_delivery_always_counts(queue, clock: Clock, database):
    (late,) = await queue.claim(limit=1)
    clock.advance(60)
    claims = {claim.callback_id: claim for claim in await queue.claim()}
    assert await queue.settle(late, Delivered(), Outcome.DELIVERED)
    assert not await queue.settle(claims[late.callback_id], Dead(), Outcome.GAVE_UP)
    assert await rows(database, "SELECT status FROM callbacks WHERE status <> 'pending'") == [("delivered",)]
    assert (1, "delivered", None) in await queue.attempts()


async def test_claims_in_order_are_found_by_their_indexes_on_sqlite(tmp_path):
    """A session's earlier callbacks are looked up by its key; nothing is scanned."""
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    await schema.upgrade(database)
    asked = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    async with database.writer.begin() as connection:
        await connection.run_sync(lambda c: outbox.claim(c, "crm", 8, database.now(c), LEASE, ordered=True))
        questions = [each for each in asked if each[0].startswith("SELECT")]
        plans = [
            [row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in questions
        ]
    await database.close()
    assert len(plans) == 2
    for plan in plans:
        assert plan[0] == "SEARCH callbacks USING INDEX ix_callbacks_due (subscriber=? AND due_at<?)"
        behind = {step for step in plan[1:] if not step.startswith("CORRELATED")}
        assert behind == {"SEARCH earlier USING INDEX sqlite_autoindex_callbacks_1 (session_id=? AND ordinal<?)"}


async def test_a_claim_that_is_given_back_is_due_again_without_an_attempt(database, run, owe):
    await owe((1,))
    (claim,) = await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE))
    assert await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE)) == []
    await run(lambda c, now: outbox.release(c, claim, now))
    (again,) = await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE))
    assert (again.number, again.tries) == (2, 0)
    assert await rows(database, "SELECT * FROM attempts") == []
    await run(lambda c, now: outbox.release(c, claim, now))
    assert await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE)) == []
