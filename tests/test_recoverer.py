"""The task that works recoveries off: after a restart too, a portion at a time, with room for others between."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from databases import rows
from people import ANNA
from statekeeper.core.errors import NotFound, Unavailable
from statekeeper.core.recovery import RecoveryKind
from statekeeper.core.subscribers import Subscriber
from statekeeper.recoverer import Recoverer
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.journal import Journal
from statekeeper.store.queries.reader import Reader
from statekeeper.store.queries.recoveries import Recoveries
from statekeeper.store.tables import CallbackRow, table
from statekeeper.writer import Writer

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
async def writer(database):
    writer = Writer(database, Journal(Charts(default_chart())))
    running = asyncio.create_task(writer.run())
    yield writer
    writer.stop()
    await running


class Rest:
    """Rests at once, and remembers how long each was to be."""

    def __init__(self):
        self.seconds, self.begun = [], asyncio.Event()

    async def __call__(self, seconds):
        self.seconds.append(seconds)
        self.begun.set()


@pytest.fixture
def recoverer(writer, database):
    loaded = Subscriber("crm"), Subscriber("erp")
    return Recoverer(writer, Recoveries(Reader(database.reader)), lambda: loaded, rest=Rest())


@pytest.fixture
async def dead(writer, clock):
    """Put dead callbacks into the store, and go on a second."""

    async def dead(subscriber, count):
        def job(connection, now):
            ids = [uuid5(UUID(int=0), f"{subscriber}-{number}") for number in range(count)]
            key = {"ordinal": 2, "subscriber": subscriber, "state": "completed", "body": "{}"}
            state = {"status": "dead", "attempt": 3, "tries": 3, "created_at": now}
            connection.execute(
                insert(table(CallbackRow)), [{"session_id": each, "callback_id": each} | key | state for each in ids]
            )

        await writer.execute(job)
        clock.advance(1)

    return dead


async def test_a_recovery_is_worked_off_in_portions_each_with_a_rest_as_long_as_it_took(recoverer, dead, database):
    await dead("crm", 300)
    woken = []
    recoverer.wake = lambda: woken.append(1)
    began = time.perf_counter()
    await recoverer.begin(RecoveryKind.RETRY, "crm", LONG_AGO, ANNA)
    while await recoverer.run_once():
        pass
    assert len(recoverer.rest.seconds) == len(woken) == 3
    assert 0 < sum(recoverer.rest.seconds) < time.perf_counter() - began
    assert await rows(database, "SELECT done, total FROM recoveries") == [(300, 300)]
    assert await rows(database, "SELECT DISTINCT status FROM callbacks") == [("pending",)]


async def test_recoveries_take_turns(recoverer, dead, database):
    await dead("crm", 300)
    await dead("erp", 3)
    await recoverer.begin(RecoveryKind.RETRY, "crm", LONG_AGO, ANNA)
    await recoverer.begin(RecoveryKind.RETRY, "erp", LONG_AGO, ANNA)
    assert await recoverer.run_once() == 2
    done = await rows(database, "SELECT done FROM recoveries ORDER BY total DESC")
    assert done == [(128,), (0,)]  # a page of the dead, whosesoever they are
    while await recoverer.run_once():
        pass
    assert await rows(database, "SELECT done FROM recoveries ORDER BY total DESC") == [(300,), (3,)]


async def test_another_process_goes_on_where_one_was_stopped(recoverer, dead, writer, database):
    await dead("crm", 200)
    await recoverer.begin(RecoveryKind.RETRY, "crm", LONG_AGO, ANNA)
    assert await recoverer.run_once() == 1
    other = Recoverer(writer, Recoveries(Reader(database.reader)), lambda: [Subscriber("crm")], rest=Rest())
    running = asyncio.create_task(other.run())
    await asyncio.wait_for(other.rest.begun.wait(), 10)
    assert await rows(database, "SELECT done FROM recoveries WHERE finished_at IS NOT NULL") == [(200,)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_whose_subscriber_is_not_loaded_waits(recoverer, dead, database):
    await dead("crm", 1)
    await recoverer.begin(RecoveryKind.RETRY, "crm", LONG_AGO, ANNA)
    recoverer.subscribers = list
    assert await recoverer.run_once() == 0
    recoverer.subscribers = lambda: [Subscriber("crm")]
    assert await recoverer.run_once() == 1
    assert await rows(database, "SELECT done FROM recoveries") == [(1,)]


async def test_a_subscriber_that_is_gone_when_its_portion_is_written_gets_nothing(recoverer, dead, database):
    await dead("crm", 1)
    await recoverer.begin(RecoveryKind.RETRY, "crm", LONG_AGO, ANNA)
    asked = iter([[Subscriber("crm")], []])
    recoverer.subscribers = lambda: next(asked)
    assert await recoverer.run_once() == 0
    assert await rows(database, "SELECT status FROM callbacks") == [("dead",)]


async def test_one_that_is_begun_while_there_is_nothing_to_do_begins_at_once(recoverer, dead, database, monkeypatch):
    monkeypatch.setattr("statekeeper.recoverer.POLL_SECONDS", 1000)
    await dead("crm", 1)
    await dead("erp", 2)
    running = asyncio.create_task(recoverer.run())
    for name in ("crm", "erp"):
        await recoverer.begin(RecoveryKind.RETRY, name, LONG_AGO, ANNA)
        await asyncio.wait_for(recoverer.rest.begun.wait(), 10)
        recoverer.rest.begun.clear()
    assert await rows(database, "SELECT done FROM recoveries ORDER BY total") == [(1,), (2,)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_store_that_is_away_is_waited_for(recoverer, monkeypatch):
    seen = asyncio.Event()

    async def away(_recoverer):
        seen.set()
        raise Unavailable("The store does not answer, or is full.", reason="store")

    monkeypatch.setattr(Recoverer, "run_once", away)
    with capture_logs() as logs:
        running = asyncio.create_task(recoverer.run())
        await asyncio.wait_for(seen.wait(), 5)
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert logs == [{"event": "recoveries_not_worked_off", "reason": "store", "log_level": "warning"}]


async def test_what_is_planned_ends_now_by_the_stores_clock(recoverer, dead, clock):
    await dead("crm", 2)
    recovery, total = await recoverer.plan(RecoveryKind.RETRY, "crm", LONG_AGO)
    assert (recovery.until, total) == (clock.now, 2)
    recovery, total = await recoverer.plan(RecoveryKind.RETRY, "crm", clock.now - timedelta(milliseconds=1))
    assert total == 0
    with pytest.raises(NotFound):
        await recoverer.plan(RecoveryKind.RETRY, "nobody", LONG_AGO)
