"""Endpoints as rows, on both engines: unique by name, sealed, and counted."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from databases import rows
from statekeeper.core.errors import (
    CannotBeOpened,
    NameTaken,
    NoEncryptionKey,
    NotFound,
    NotYetFree,
    TooManyEndpoints,
)
from statekeeper.core.recovery import Recovery, RecoveryKind
from statekeeper.core.retry import Attempt, Delivered, Outcome, RetryAt
from statekeeper.core.subscribers import Subscriber
from statekeeper.store import dead_letters, deletion, endpoints, outbox, recovery
from statekeeper.store.deletion import Buried
from statekeeper.store.endpoints import Owed, Secret, Target
from statekeeper.store.statements import insert
from statekeeper.store.subscribers import stored_subscriber
from statekeeper.store.tables import CallbackRow, table
from statekeeper.trust.sealing import Sealer, new_key

KEY = new_key()
SEALER = Sealer([KEY])
OPTIONS = {"transitions": "all", "states": ["completed"], "rate": 2.5}
LEASE = timedelta(seconds=50)


def target(name="crm"):
    return Target(name, "https://crm.example/?token=hidden", (Secret("whsec_hidden"),))


@pytest.fixture
def run(database):
    """Do a job in a transaction of its own, at the store's time."""

    async def run(job):
        async with database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, database.now(c)))

    return run


@pytest.fixture
def create(run):
    return lambda name="crm", sealer=SEALER: run(lambda c, now: endpoints.create(c, sealer, target(name), OPTIONS, now))


@pytest.fixture
def read_all(run):
    return lambda sealer=SEALER: run(lambda c, _now: endpoints.read_all(c, sealer))


async def test_what_was_made_is_read_again_and_nothing_secret_is_in_the_store(database, create, read_all, clock):
    await create()
    (record,) = await read_all()
    assert (record.name, record.options, record.target) == ("crm", OPTIONS, target())
    assert (record.created_at, record.updated_at) == (clock(), clock())
    stored = str(await rows(database, "SELECT * FROM endpoints"))
    assert "hidden" not in stored
    assert "crm.example" not in stored


async def test_a_name_is_unique_by_the_database(create, read_all):
    await create()
    with pytest.raises(NameTaken):
        await create()
    assert len(await read_all()) == 1


async def test_there_are_so_many_and_no_more(create, run, monkeypatch):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
    await create()
    with pytest.raises(TooManyEndpoints):
        await create("mail")
    await run(lambda c, now: deletion.mark(c, "crm", now))
    await create("mail")


async def test_they_come_by_name(create, read_all):
    for name in ("b", "c", "a"):
        await create(name)
    assert [record.name for record in await read_all()] == ["a", "b", "c"]


async def test_without_a_key_nothing_is_written(create, read_all):
    with pytest.raises(NoEncryptionKey):
        await create(sealer=Sealer())
    assert await read_all() == []


async def test_with_the_key_lost_a_record_has_no_target(create, read_all):
    await create()
    (record,) = await read_all(Sealer([new_key()]))
    assert (record.target, record.options) == (None, OPTIONS)
    with pytest.raises(CannotBeOpened):
        record.opened()


async def test_a_target_that_was_moved_to_another_row_does_not_open(database, create, read_all, run):
    await create("crm")
    await create("spy")
    (sealed,) = (await rows(database, "SELECT sealed FROM endpoints WHERE name = 'crm'"))[0]
    await run(lambda c, _now: c.exec_driver_sql(f"UPDATE endpoints SET sealed = '{sealed}' WHERE name = 'spy'"))
    assert [record.target is None for record in await read_all()] == [False, True]


async def test_what_was_sealed_in_another_shape_does_not_open(create, read_all, run):
    await create()
    sealed = SEALER.seal(b'{"name":"crm"}')
    await run(lambda c, _now: c.exec_driver_sql(f"UPDATE endpoints SET sealed = '{sealed}'"))
    assert (await read_all())[0].target is None


async def test_a_change_moves_its_time_even_if_the_clock_stands_still(create, read_all, run):
    await create()
    before = await run(lambda c, _now: endpoints.versions(c))
    changed = replace(target(), url="https://other.example/")
    for rate in (1, 2):
        (record,) = await read_all()
        await run(lambda c, now, was=record, rate=rate: endpoints.save(c, SEALER, was, changed, {"rate": rate}, now))
        after = await run(lambda c, _now: endpoints.versions(c))
        assert after != before
        before = after
    (record,) = await read_all()
    assert (record.options, record.target) == ({"rate": 2}, changed)


async def test_a_change_seals_with_the_newest_key(create, read_all, run):
    await create()
    new = new_key()
    (record,) = await read_all()
    await run(lambda c, now: endpoints.save(c, Sealer([new, KEY]), record, target(), OPTIONS, now))
    (record,) = await read_all(Sealer([new]))
    assert record.target == target()


async def test_what_is_not_there_is_neither_read_nor_removed(run, create, read_all):
    with pytest.raises(NotFound):
        await run(lambda c, _now: endpoints.read_locked(c, SEALER, "crm"))
    with pytest.raises(NotFound):
        await run(lambda c, now: deletion.mark(c, "crm", now))
    await create()
    assert await run(lambda c, _now: endpoints.names(c)) == ["crm"]
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await run(lambda c, _now: endpoints.names(c)) == []
    with pytest.raises(NotFound):
        await run(lambda c, _now: endpoints.read_locked(c, SEALER, "crm"))
    with pytest.raises(NotFound):
        await run(lambda c, now: deletion.mark(c, "crm", now))


async def test_what_is_deleted_is_wiped_and_is_a_change_to_whoever_looks(database, create, read_all, run, clock):
    await create()
    before = await run(lambda c, _now: endpoints.versions(c))
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await rows(database, "SELECT sealed FROM endpoints") == [("",)]
    assert await run(lambda c, _now: endpoints.versions(c)) != before
    (record,) = await read_all()
    assert (record.target, record.deleted_at) == (None, clock())
    assert await run(lambda c, _now: stored_subscriber(c, "crm")) is None


async def test_a_name_is_free_once_all_have_noticed_and_nothing_is_owed(create, read_all, run, owe, clock, monkeypatch):
    monkeypatch.setattr(deletion, "PORTION", 1)
    await create()
    await owe((1,))
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert [await run(partial(deletion.bury, "crm")) for _ in range(2)] == [Buried(1, more=True), Buried()]
    with pytest.raises(NotYetFree, match="try again in some seconds"):
        await create()
    await owe((2,))
    clock.advance(deletion.NOTICED.total_seconds())
    assert await run(partial(deletion.bury, "crm")) == Buried(1, more=True)
    with pytest.raises(NotYetFree):
        await create()
    assert await run(partial(deletion.bury, "crm")) == Buried()
    assert await read_all() == []
    await create()


async def test_a_recovery_that_was_begun_after_the_deletion_ends_before_the_name_is_free(database, create, run, clock):
    await create()
    await run(lambda c, now: deletion.mark(c, "crm", now))
    late = Recovery(RecoveryKind.RETRY, Subscriber("crm"), clock(), clock())
    await run(lambda c, now: recovery.begin(c, UUID(int=1), late, 0, now))
    clock.advance(deletion.NOTICED.total_seconds())
    await run(partial(deletion.bury, "crm"))
    assert await rows(database, "SELECT count(*) FROM recoveries WHERE finished_at IS NULL") == [(0,)]


def callback(number, now, subscriber="crm", status="pending"):
    key = UUID(int=number)
    row = {"session_id": key, "ordinal": 2, "subscriber": subscriber, "callback_id": key, "state": "completed"}
    due = now if status == "pending" else None
    return row | {"body": "{}", "status": status, "attempt": 0, "tries": 0, "due_at": due, "created_at": now}


@pytest.fixture
def owe(run):
    async def owe(*callbacks):
        await run(
            lambda c, now: insert(c, table(CallbackRow), [callback(*each[:1], now, *each[1:]) for each in callbacks])
        )

    return owe


async def test_what_is_owed_is_counted_by_subscriber(run, owe):
    await owe((1,), (2,), (3, "crm", "dead"), (4, "crm", "delivered"), (5, "bus", "dead"))
    assert await run(lambda c, _now: endpoints.owed(c)) == {"crm": Owed(2, 1), "bus": Owed(0, 1)}


async def test_what_is_buried_is_dead_and_that_of_others_is_not(database, run, owe):
    await owe((1,), (2,), (3, "bus"), (4, "crm", "delivered"))
    assert await run(lambda c, _now: dead_letters.bury(c, "crm", 500)) == 2
    found = await rows(database, "SELECT subscriber, status, due_at IS NULL FROM callbacks ORDER BY callback_id")
    assert [(name, status, bool(never)) for name, status, never in found] == [
        ("crm", "dead", True),
        ("crm", "dead", True),
        ("bus", "pending", False),
        ("crm", "delivered", True),
    ]


async def test_nothing_is_buried_that_is_owed_to_one_who_is_there(create, run, owe):
    await create()
    await owe((1,))
    assert await run(partial(deletion.bury, "crm")) == Buried()
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await run(partial(deletion.bury, "crm", after=deletion.NOTICED)) == Buried()
    assert await run(partial(deletion.bury, "crm")) == Buried(1)


def bury_by_the_worst_plan(connection, _now):
    """PostgreSQL is left no plan but the one that reads a subquery again for each row."""
    if connection.dialect.name == "postgresql":
        for way in ("hashjoin", "mergejoin", "material", "memoize", "hashagg", "sort", "indexscan", "bitmapscan"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    return dead_letters.bury(connection, "crm", 2)


async def test_a_burial_takes_no_more_at_once_than_it_is_told_however_the_database_plans_it(run, owe):
    await owe((1,), (2,), (3,))
    assert [await run(bury_by_the_worst_plan) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("outcome", "verdict", "status"), [(Outcome.DELIVERED, Delivered, "delivered"), (Outcome.FAILED, RetryAt, "dead")]
)
async def test_an_attempt_under_way_counts_for_nothing_but_a_delivery(database, run, owe, outcome, verdict, status):
    await owe((1,))
    (claim,) = await run(lambda c, now: outbox.claim(c, "crm", 1, now, LEASE))
    await run(lambda c, _now: dead_letters.bury(c, "crm", 500))
    assert await rows(database, "SELECT outcome, detail FROM attempts") == [("failed", "interrupted")]

    def settle(connection, now):
        follows = verdict(now) if verdict is RetryAt else verdict()
        return outbox.settle(connection, claim, Attempt(outcome, now, 7, None), follows, now)

    assert await run(settle) is (status == "delivered")
    assert await rows(database, "SELECT status, due_at FROM callbacks") == [(status, None)]
    assert await rows(database, "SELECT outcome FROM attempts") == [(str(outcome),)]


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
