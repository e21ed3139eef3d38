"""What the tests of the store share: jobs in transactions, endpoints, callbacks owed, and the outbox at work."""

from uuid import UUID, uuid4

import pytest

import databases
from outboxes import OPTIONS, SEALER, Queue, callback, target
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.events import SessionEvent
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import endpoints
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.statements import insert
from statekeeper.store.tables import CallbackRow, table


@pytest.fixture
def run(database):
    """Do a job in a transaction of its own, at the store's time."""

    async def run(job):
        async with database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, database.now(c)))

    return run


@pytest.fixture
def owe(run):
    async def owe(*callbacks):
        await run(
            lambda c, now: insert(c, table(CallbackRow), [callback(*each[:1], now, *each[1:]) for each in callbacks])
        )

    return owe


@pytest.fixture
def create(run):
    return lambda name="crm", sealer=SEALER: run(lambda c, now: endpoints.create(c, sealer, target(name), OPTIONS, now))


@pytest.fixture
def read_all(run):
    return lambda sealer=SEALER: run(lambda c, _now: endpoints.read_all(c, sealer))


@pytest.fixture
async def sessions(database: Database) -> list[UUID]:
    """Three sessions that ended, each owing a callback to `crm` and to `mail`."""
    journal = Journal(Charts(default_chart()), (Subscriber("crm"), Subscriber("mail")), jitter=lambda: 0.0)
    ids = [uuid4() for _ in range(3)]
    arrivals = [
        Arrival(SessionEvent(f"e{number}", f"session.{name}", number, session), "token", SigningKey("t", None, "{}"))
        for session in ids
        for number, name in ((1, "created"), (2, "completed"))
    ]

    async with database.writer.begin() as connection:
        await connection.run_sync(lambda c: journal.charts.register(c, database.now(c)))
        await connection.run_sync(lambda c: databases.write(journal, c, arrivals, database.now(c)))
    return ids


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)
