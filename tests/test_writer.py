"""Group commit: one transaction for all that wait, one bad job that fails nobody else, and a bounded queue."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from databases import Clock, rows
from statekeeper.core.arrivals import Arrival, Receipt, SigningKey
from statekeeper.core.errors import NotFound, Unavailable
from statekeeper.core.events import SessionEvent
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import schema
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Entry, Journal
from statekeeper.writer import Writer

KEY = SigningKey("thumb", "key-1", "{}")


def arrival(number: int = 1, name: str = "created", token: str = "token") -> Arrival:
    return Arrival(SessionEvent(str(uuid4()), f"session.{name}", number, uuid4()), token, KEY)


@asynccontextmanager
async def running(database: Database, **options):
    """A writer with everything submitted before it starts, so that batches are certain."""
    journal = Journal(Charts(default_chart()), (Subscriber("crm"),), timedelta(seconds=30), jitter=lambda: 0.0)
    entries: list[Entry] = []
    writer = Writer(database, journal, after_commit=entries.append, **options)
    writer.entries = entries
    await_started = []
    writer.start = lambda: await_started.append(asyncio.create_task(writer.run()))
    yield writer
    writer.stop()
    if not await_started:
        writer.start()
    await asyncio.wait_for(asyncio.gather(*await_started), 10)


async def together(writer: Writer, *calls):
    """What each call returned or raised, all of them having waited before the writer began."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    writer.start()
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)


async def test_all_that_waits_goes_into_one_transaction(database):
    async with running(database) as writer:
        answers = await together(writer, *(writer.submit(arrival()) for _ in range(20)), writer.execute(count_events))
    assert [answer.disposition for answer in answers[:-1]] == ["applied"] * 20
    assert answers[-1] == 20
    assert len(writer.entries) == 1


def count_events(connection, _now):
    return connection.execute(text("SELECT count(*) FROM events")).scalar_one()


async def test_those_just_answered_come_again_in_one_batch_with_those_that_waited(database):
    async def twice():
        return [await writer.submit(arrival()), await writer.submit(arrival())]

    async with running(database, batch_limit=8) as writer:
        await together(writer, *(twice() for _ in range(8)), *(writer.submit(arrival()) for _ in range(4)))
    assert [len(entry.receipts) for entry in writer.entries] == [8, 8, 4]


async def test_a_batch_is_no_larger_than_its_limit(database):
    async with running(database, batch_limit=8) as writer:
        await together(writer, *(writer.submit(arrival()) for _ in range(20)))
    assert [len(entry.receipts) for entry in writer.entries] == [8, 8, 4]


async def test_one_bad_arrival_fails_nobody_else(database):
    bad = arrival()
    object.__setattr__(bad, "token", None)
    async with running(database) as writer:
        answers = await together(writer, writer.submit(arrival()), writer.submit(bad), writer.submit(arrival()))
    assert isinstance(answers[1], IntegrityError)
    assert answers[0].disposition == answers[2].disposition == "applied"
    assert await rows(database, "SELECT count(*) FROM events") == [(2,)]


async def test_a_job_that_is_refused_fails_alone_and_splits_no_batch(database):
    def refuse(_connection, _now):
        raise NotFound("callback", "x")

    async with running(database) as writer:
        answers = await together(writer, writer.submit(arrival()), writer.execute(refuse), writer.submit(arrival()))
    assert isinstance(answers[1], NotFound)
    assert len(writer.entries) == 1


async def test_a_full_queue_refuses_arrivals_at_once_and_takes_settlements(database):
    async with running(database, queue_limit=2) as writer:
        first = [asyncio.ensure_future(writer.submit(arrival())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="queue is full"):
            await writer.submit(arrival())
        assert await together(writer, writer.execute(lambda _c, _n: "settled")) == ["settled"]
        assert [receipt.disposition for receipt in await asyncio.gather(*first)] == ["applied"] * 2


async def test_a_waiter_that_went_away_is_skipped(database):
    async with running(database) as writer:
        gone = asyncio.ensure_future(writer.submit(arrival()))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        await together(writer, writer.submit(arrival()))
    assert await rows(database, "SELECT count(*) FROM events") == [(1,)]


async def test_a_waiter_that_goes_away_while_its_batch_is_written_hurts_nobody(database):
    async with running(database) as writer:
        going = asyncio.ensure_future(writer.submit(arrival()))

        def cancel(_connection, _now):
            going.cancel()

        answers = await together(writer, writer.execute(cancel), writer.submit(arrival()))
    assert answers[1].disposition == "applied"
    assert await rows(database, "SELECT count(*) FROM events") == [(2,)]


async def test_what_still_waits_when_the_writer_is_told_to_stop_is_written(database):
    async with running(database) as writer:
        waiting = asyncio.ensure_future(writer.submit(arrival()))
        await asyncio.sleep(0)
        writer.stop()
        writer.start()
        assert (await waiting).disposition == "applied"


async def test_a_writer_that_dies_answers_all_that_wait(database):
    async with running(database, batch_limit=1) as writer:
        waiting = [asyncio.ensure_future(writer.submit(arrival())) for _ in range(3)]
        run = asyncio.ensure_future(writer.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        run.cancel()
        answers = await asyncio.gather(run, *waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, Unavailable, Unavailable, Unavailable]


async def test_a_locked_sqlite_store_is_unavailable_for_the_whole_batch_and_then_goes_on(tmp_path):
    database = await sqlite(tmp_path, busy_milliseconds=1)
    other = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    async with running(database) as writer:
        async with other.writer.begin():
            answers = await together(writer, writer.submit(arrival()), writer.submit(arrival()))
        assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
        assert (await writer.submit(arrival())).disposition == "applied"
    await other.close()
    await database.close()


async def test_a_full_disk_is_unavailable_and_goes_on_by_itself_when_there_is_room_again(tmp_path):
    database = await sqlite(tmp_path)
    large = "x" * 60_000
    async with running(database) as writer:
        writer.start()
        await _limit(database, 128)
        answers = [await answer_to(writer.submit(arrival(token=large))) for _ in range(64)]
        written = sum(isinstance(answer, Receipt) for answer in answers)
        assert {type(answer) for answer in answers} == {Receipt, Unavailable}
        await _limit(database, 100_000)
        assert (await writer.submit(arrival(token=large))).disposition == "applied"
    assert await rows(database, "SELECT count(*) FROM events") == [(written + 1,)]
    await database.close()


async def test_a_store_that_failed_is_not_taken_for_well_until_it_takes_an_arrival_again(tmp_path):
    database = await sqlite(tmp_path)
    async with running(database) as writer:
        writer.start()
        await _limit(database, 1)
        assert isinstance(await answer_to(writer.submit(arrival(token="x" * 60_000))), Unavailable)
        assert not writer.healthy
        await writer.execute(lambda connection, _now: connection.execute(text("DELETE FROM key_sets")))
        assert not writer.healthy
        await _limit(database, 100_000)
        await writer.submit(arrival())
        assert writer.healthy
    await database.close()


async def test_a_store_that_failed_is_well_once_it_has_room_for_a_batch(tmp_path):
    database = await sqlite(tmp_path)
    async with running(database) as writer:
        writer.start()
        await _limit(database, 1)
        assert isinstance(await answer_to(writer.probe()), Unavailable)
        assert not writer.healthy
        await _limit(database, 100_000)
        await writer.probe()
        assert writer.healthy
    await database.close()


async def test_what_is_found_out_about_room_leaves_nothing_behind(database):
    async with running(database) as writer:
        writer.start()
        writer.healthy = False
        await writer.probe()
        assert writer.healthy
    assert await rows(database, "SELECT count(*) FROM key_sets") == [(0,)]


async def test_a_writer_that_has_ended_takes_nothing_more(database):
    async with running(database) as writer:
        pass
    with pytest.raises(Unavailable, match="stopping"):
        await writer.execute(lambda _connection, _now: None)


async def answer_to(call):
    return (await asyncio.gather(call, return_exceptions=True))[0]


async def _limit(database: Database, pages: int) -> None:
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def sqlite(tmp_path, busy_milliseconds: int = 5000) -> Database:
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}", clock=Clock())
    await schema.upgrade(database)
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql(f"PRAGMA busy_timeout={busy_milliseconds}")
    return database


async def test_a_lock_timeout_on_postgresql_splits_the_batch(postgres_url, clock):
    database = Database.open(postgres_url, clock=clock)
    await schema.upgrade(database)
    stuck, free = arrival(), arrival()
    async with running(database) as writer:
        writer.start()
        await writer.submit(stuck)
        async with database.reader.connect() as connection:
            await connection.execute(
                text("SELECT 1 FROM sessions WHERE session_id = :id FOR UPDATE"), {"id": stuck.event.session_id}
            )
            answers = await asyncio.gather(writer.submit(free), writer.submit(stuck), return_exceptions=True)
            await connection.rollback()
        assert answers[0].disposition == "applied"
        assert isinstance(answers[1], Unavailable)
        assert writer.healthy
        assert (await writer.submit(stuck)).disposition == "duplicate"
    await database.close()
