"""Recoveries on both engines: what is counted, what is done, and what a crash or a second worker changes: nothing."""

import asyncio
import itertools
import json
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

import pytest

import databases
from databases import Clock, rows
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import RecoveryUnderWay
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.recovery import Recovery, RecoveryKind, RecoveryProgress
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import backfill, outbox, recovery, revival
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal

LEASE = timedelta(seconds=50)
ROOT = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
CRM, LATE = Subscriber("crm"), Subscriber("late")
BODIES = (
    "SELECT session_id, ordinal, callback_id, state, body, status FROM callbacks WHERE subscriber = '{}' ORDER BY 1"
)


class Store:
    """A store, each act in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock, self.begun = database, clock, clock.now
        self.journal = Journal(Charts(default_chart()), (CRM, Subscriber("mail")), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def write(self, *arrivals):
        self.clock.advance(1)
        return await self.run(lambda c, now: databases.write(self.journal, c, arrivals, now))

    async def sweep(self, seconds):
        self.clock.advance(seconds)
        return await self.run(lambda c, now: databases.sweep(self.journal, c, now))

    async def end(self, count, **members):
        """So many sessions that ended, one behind the other."""
        ids = [uuid5(ROOT, f"{self.clock.now}-{number}") for number in range(count)]
        for session in ids:
            await self.write(arrival(session, 1, "created", **members), arrival(session, 2, "completed", **members))
        return ids

    async def kill(self, name="crm"):
        """All that is due of this subscriber dies."""

        def job(connection, now):
            for claim in outbox.claim(connection, name, 10_000, now, LEASE):
                outbox.settle(connection, claim, Attempt(Outcome.FAILED, now, 7, "HTTP 503"), Dead(), now)

        await self.run(job)

    def recovery(self, kind, subscriber=CRM, since=None):
        return Recovery(kind, subscriber, since or self.begun, self.clock.advance(1))

    async def plan(self, kind, subscriber=CRM, since=None):
        wanted = self.recovery(kind, subscriber, since)
        async with self.database.reader.connect() as connection:
            return await connection.run_sync(recovery.plan, wanted)

    async def begin(self, kind, subscriber=CRM, since=None):
        wanted, key = self.recovery(kind, subscriber, since), uuid4()

        def job(connection, now):
            recovery.begin(connection, key, wanted, recovery.plan(connection, wanted), now)

        await self.run(job)
        return key

    async def work(self, key, subscriber=CRM, portion=500):
        return await self.run(lambda c, now: recovery.work(c, key, subscriber, now, portion))

    async def finish(self, key, subscriber=CRM, portion=500):
        while not (progress := await self.work(key, subscriber, portion)).finished:
            pass
        return progress

    async def statuses(self, name="crm"):
        return [
            row[0] for row in await rows(self.database, f"SELECT status FROM callbacks WHERE subscriber = '{name}'")
        ]


def arrival(session, number, name, **members):
    event = SessionEvent(f"{session}-{number}", f"session.{name}", number, session, **members)
    return Arrival(event, "token", SigningKey("t", None, "{}"))


@pytest.fixture
async def store(database, clock) -> Store:
    store = Store(database, clock)
    await store.run(store.journal.charts.register)
    return store


# --- retry --------------------------------------------------------------------------------------------------------


async def test_the_dead_of_one_subscriber_are_due_at_once_with_a_fresh_schedule(store):
    await store.end(5)
    await store.kill()
    await store.kill("mail")
    progress = await store.finish(await store.begin(RecoveryKind.RETRY), portion=2)
    assert (progress.done, progress.total) == (5, 5)
    assert set(await store.statuses("mail")) == {"dead"}
    claims = await store.run(lambda c, now: outbox.claim(c, "crm", 9, now, LEASE))
    assert [(claim.number, claim.tries) for claim in claims] == [(2, 0)] * 5


async def test_a_retry_takes_what_was_created_since_a_time_and_nothing_earlier(store, clock):
    await store.end(2)
    since = clock.advance(1)
    await store.end(3)
    await store.kill()
    assert await store.plan(RecoveryKind.RETRY, since=since) == 3
    assert (await store.finish(await store.begin(RecoveryKind.RETRY, since=since))).done == 3
    assert sorted(await store.statuses()) == ["dead"] * 2 + ["pending"] * 3


async def test_a_retry_leaves_what_is_delivered_or_pending(store):
    await store.end(3)

    def job(connection, now):
        first, second, _ = outbox.claim(connection, "crm", 3, now, LEASE)
        outbox.settle(connection, first, Attempt(Outcome.DELIVERED, now, 7), Delivered(), now)
        outbox.settle(connection, second, Attempt(Outcome.FAILED, now, 7), Dead(), now)

    await store.run(job)
    assert (await store.finish(await store.begin(RecoveryKind.RETRY))).done == 1
    assert sorted(await store.statuses()) == ["delivered", "pending", "pending"]


async def test_what_dies_again_meanwhile_is_not_sent_a_third_time(store):
    await store.end(4)
    await store.kill()
    key = await store.begin(RecoveryKind.RETRY)
    await store.work(key, portion=2)
    await store.kill()
    assert (await store.finish(key, portion=2)).done == 4
    assert sorted(await store.statuses()) == ["dead", "dead", "pending", "pending"]


async def test_what_dies_again_is_within_the_next_recovery(store):
    await store.end(2)
    await store.kill()
    await store.finish(await store.begin(RecoveryKind.RETRY))
    await store.kill()
    assert (await store.finish(await store.begin(RecoveryKind.RETRY))).done == 2


# --- backfill -----------------------------------------------------------------------------------------------------


async def test_a_new_subscriber_gets_what_it_missed_and_nothing_twice(store):
    await store.end(3)
    store.journal.subscribers = (*store.journal.subscribers, LATE)
    await store.end(2)
    assert len(await store.statuses("late")) == 2
    progress = await store.finish(await store.begin(RecoveryKind.BACKFILL, LATE), LATE, portion=2)
    assert (progress.done, progress.total) == (3, 3)
    assert await store.statuses("late") == ["pending"] * 5
    assert await store.plan(RecoveryKind.BACKFILL, LATE) == 0
    assert (await store.finish(await store.begin(RecoveryKind.BACKFILL, LATE), LATE)).done == 0
    assert len(await store.statuses("late")) == 5


async def test_one_who_was_told_of_an_earlier_step_only_has_missed_the_end(store):
    steps = Subscriber("late", scope=Scope.ALL)
    everybody = store.journal.subscribers
    for session in (uuid4(), uuid4()):
        store.journal.subscribers = (*everybody, steps)
        await store.write(arrival(session, 1, "created"))
        store.journal.subscribers = everybody
        await store.write(arrival(session, 2, "completed"))
    assert await store.plan(RecoveryKind.BACKFILL, steps) == 2
    assert (await store.finish(await store.begin(RecoveryKind.BACKFILL, steps), steps)).done == 2
    found = await rows(store.database, "SELECT state FROM callbacks WHERE subscriber = 'late' ORDER BY state")
    assert found == [("completed",), ("completed",), ("created",), ("created",)]


async def test_a_backfill_takes_what_ended_since_a_time(store, clock):
    await store.end(2)
    since = clock.now + timedelta(milliseconds=1)
    await store.end(3)
    assert await store.plan(RecoveryKind.BACKFILL, LATE, since) == 3
    assert (await store.finish(await store.begin(RecoveryKind.BACKFILL, LATE, since), LATE)).done == 3


async def test_what_ends_after_its_beginning_is_not_a_backfills(store):
    await store.end(2)
    key = await store.begin(RecoveryKind.BACKFILL, LATE)
    await store.end(2)
    assert (await store.finish(key, LATE)).done == 2


async def test_a_session_that_has_not_ended_owes_nothing(store):
    await store.write(arrival(uuid4(), 1, "created"))
    assert (await store.finish(await store.begin(RecoveryKind.BACKFILL, LATE), LATE)).done == 0


STATES, ENVIRONMENTS, FLOWS = ((), ("completed",), ("error", "expired")), ((), ("live",)), ((), ("f1",), ("f2", "f3"))


async def test_a_backfill_and_its_count_filter_as_the_journal_does(store):
    """What an endpoint would have been owed from the beginning, for every filter; what is unknown fits none."""
    filters = list(itertools.product(STATES, ENVIRONMENTS, FLOWS, Scope))
    there = [Subscriber(f"there {n}", *map(frozenset, each[:3]), each[3]) for n, each in enumerate(filters)]
    store.journal.subscribers = tuple(there)
    for state, environment, flow in itertools.product(
        ("completed", "error"), ("live", "test", None), ("f1", "f2", None)
    ):
        session, origin = uuid4(), {"environment": environment, "flow_id": flow}
        await store.write(arrival(session, 1, "created", **origin), arrival(session, 2, state, **origin))
    await store.write(arrival(session, 3, "expired", environment="live", flow_id="f1"))  # said behind the end
    store.begun = store.begun.replace(year=2000)
    owed = dict(
        await rows(store.database, "SELECT subscriber, count(*) FROM callbacks WHERE ordinal = 2 GROUP BY subscriber")
    )
    assert len(set(owed.values())) > 5
    for each in there:
        late = Subscriber(f"late {each.name}", each.states, each.environments, each.flows, each.scope)
        progress = await store.finish(await store.begin(RecoveryKind.BACKFILL, late), late, portion=7)
        assert progress.done == progress.total == owed.get(each.name, 0)


async def tell_tales(store):
    """Every kind of end: plain, behind a gap, inferred and confirmed too late, with all that may be said or missing."""
    step = LastStep("END-ACCEPT", None, "COMPLETED")
    plain, gappy, bare, late, numbered, umlauts = (uuid5(ROOT, str(n)) for n in range(6))
    said = {"flow_id": "f1", "environment": "live", "session_status": "CREATED"}
    await store.write(arrival(plain, 1, "created", **said), arrival(plain, 2, "completed", last_step=step))
    await store.write(arrival(gappy, 1, "created", last_step=step), arrival(gappy, 4, "error", **said))
    await store.write(arrival(bare, 2, "aborted"))
    await store.write(arrival(late, 3, "expired", environment="live"))
    await store.write(
        arrival(numbered, 1, "created"), arrival(numbered, 2, "paused"), arrival(numbered, 3, "completed")
    )
    await store.write(arrival(umlauts, 1, "created", flow_id="fü\u2028"), arrival(umlauts, 2, "completed"))
    for _ in range(5):  # no tick may be as far from the last as an interruption is
        await store.sweep(9)
    await store.write(arrival(late, 1, "created", flow_id="f9"), arrival(bare, 1, "created", flow_id="f9"))
    await store.write(arrival(gappy, 2, "completed", last_step=step), arrival(plain, 3, "error", last_step=step))
    assert len(await rows(store.database, "SELECT 1 FROM sessions WHERE terminal")) == 6
    assert len(await rows(store.database, "SELECT 1 FROM sessions WHERE NOT contiguous")) == 3


@pytest.mark.parametrize("scope", [Scope.TERMINAL, Scope.ALL])
async def test_a_backfilled_body_is_byte_for_byte_what_one_there_from_the_beginning_got(store, scope):
    there, late = Subscriber("there", scope=scope), Subscriber("late", scope=scope)
    store.journal.subscribers = (there,)
    await tell_tales(store)
    assert (await store.finish(await store.begin(RecoveryKind.BACKFILL, late), late, portion=4)).done == 6
    expected = [
        (session, ordinal, state, body)
        for session, ordinal, _, state, body, _ in await rows(store.database, BODIES.format("there"))
        if json.loads(body)["data"]["endedAt"]
    ]
    found = await rows(store.database, BODIES.format("late"))
    for (session, ordinal, _, state, body, status), wanted in zip(found, expected, strict=True):
        said = json.loads(body)["data"]
        key = uuid5(UUID(str(session)), f"{ordinal}:late")
        there_key = uuid5(UUID(str(session)), f"{ordinal}:there")
        assert said["callbackId"] == str(key)
        assert (session, ordinal, state, body.replace(str(key), str(there_key))) == wanted
        assert status == "pending"


# --- portions -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=RecoveryKind)
async def owing(store, request) -> tuple[RecoveryKind, Subscriber]:
    """Seven callbacks to recover, of either kind."""
    kind = request.param
    await store.end(7)
    await store.kill()
    return kind, CRM if kind is RecoveryKind.RETRY else LATE


async def recovered(store, subscriber):
    return (await store.statuses(subscriber.name)).count("pending")


async def snapshot(database):
    tables = ("sessions", "transitions", "callbacks", "attempts", "recoveries")
    return [await rows(database, f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables]


async def test_a_dry_run_says_how_many_and_changes_nothing(store, owing):
    before = await snapshot(store.database)
    assert await store.plan(*owing) == 7
    assert await snapshot(store.database) == before


async def test_progress_is_kept_and_goes_on_from_its_place(store, owing):
    kind, subscriber = owing
    key = await store.begin(kind, subscriber)
    assert await store.work(key, subscriber, 3) == RecoveryProgress(3, 7, finished=False, made=3)
    assert await store.work(key, subscriber, 3) == RecoveryProgress(6, 7, finished=False, made=3)
    assert await store.work(key, subscriber, 3) == RecoveryProgress(7, 7, finished=True, made=1)
    assert await store.work(key, subscriber, 3) == RecoveryProgress(7, 7, finished=True)
    assert await recovered(store, subscriber) == 7


async def test_a_crash_in_the_middle_of_a_portion_undoes_it_and_the_next_worker_goes_on(store, owing):
    kind, subscriber = owing
    key = await store.begin(kind, subscriber)
    await store.work(key, subscriber, 3)
    before = await snapshot(store.database)

    def die(connection, now):
        assert recovery.work(connection, key, subscriber, now, 3).done == 6
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.run(die)
    assert await snapshot(store.database) == before
    assert await store.finish(key, subscriber, 3) == RecoveryProgress(7, 7, finished=True, made=1)
    assert await recovered(store, subscriber) == 7


async def test_two_workers_at_once_do_everything_once(store, owing):
    kind, subscriber = owing
    key = await store.begin(kind, subscriber)
    made = []

    async def worker():
        while True:
            progress = await store.work(key, subscriber, 1)
            made.append(progress.made if progress else 0)
            if progress and progress.finished:
                return

    await asyncio.gather(worker(), worker())
    assert sum(made) == 7
    assert await recovered(store, subscriber) == 7


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_worker_that_finds_another_at_it_is_not_kept_waiting(store, owing):
    kind, subscriber = owing
    key = await store.begin(kind, subscriber)
    async with store.database.writer.begin() as connection:
        await connection.run_sync(lambda c: recovery.work(c, key, subscriber, store.clock.now, 3))
        assert await store.work(key, subscriber, 3) is None


async def test_one_of_a_kind_and_subscriber_is_under_way_at_a_time(store, owing):
    kind, subscriber = owing
    key = await store.begin(kind, subscriber)
    with pytest.raises(RecoveryUnderWay) as refused:
        await store.begin(kind, subscriber)
    assert refused.value.recovery_id == key
    await store.begin(kind, Subscriber("other"))
    await store.begin(next(each for each in RecoveryKind if each is not kind), subscriber)
    await store.finish(key, subscriber)
    await store.begin(kind, subscriber)
    assert len(await store.run(lambda c, _: recovery.unfinished(c))) == 3


async def test_a_recovery_that_is_unknown_has_no_progress(store):
    assert await store.work(uuid4()) is None


@pytest.mark.parametrize(("remedy", "index"), [(revival, "ix_callbacks_status"), (backfill, "ix_sessions_ended_at")])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_page_is_read_along_an_index_and_not_sorted(store, remedy, index):
    wanted = store.recovery(RecoveryKind.RETRY, since=store.begun)
    query = remedy.page(wanted, "A" * 32, 500)
    compiled = query.compile(store.database.reader.sync_engine, compile_kwargs={"render_postcompile": True})
    assert wanted.since not in compiled.params.values()  # the index is entered at the place and not at the beginning
    async with store.database.reader.connect() as connection:
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(range(len(compiled.params))))
        plan = [row[3] for row in found]
    assert index in plan[0]
    assert not [line for line in plan if "SCAN" in line or "TEMP B-TREE" in line]
