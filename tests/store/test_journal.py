"""The write side, on both engines: what a batch records, and that it is one transaction."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

import databases
from databases import Clock, rows
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal

SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')


def arrival(sequence: int, name: str, session: UUID = SESSION, **members) -> Arrival:
    event = SessionEvent(f"e{sequence}-{name}", f"session.{name}", sequence, session, **members)
    return Arrival(event, f"token-{sequence}", KEY)


@pytest.fixture
def journal() -> Journal:
    return Journal(Charts(default_chart()), (Subscriber("crm"),), timedelta(seconds=30), jitter=lambda: 0.0)


async def write(database: Database, journal: Journal, *arrivals: Arrival):
    async with database.writer.begin() as connection:
        await connection.run_sync(lambda c: journal.charts.register(c, database.now(c)))
        return await connection.run_sync(lambda c: databases.write(journal, c, arrivals, database.now(c)))


async def sweep(database: Database, journal: Journal):
    async with database.writer.begin() as connection:
        return await connection.run_sync(lambda c: databases.sweep(journal, c, database.now(c)))


async def test_a_story_in_order_ends_its_session_and_owes_a_callback(database, journal):
    entry = await write(database, journal, arrival(1, "created"), arrival(2, "completed"))
    assert [receipt.disposition for receipt in entry.receipts] == ["applied", "applied"]
    assert await rows(database, "SELECT state, cursor, arrivals FROM sessions") == [("completed", 2, 2)]
    assert await rows(database, "SELECT subscriber, status, state FROM callbacks") == [("crm", "pending", "completed")]


async def test_an_early_event_is_held_and_let_through_in_a_later_batch(database, journal):
    held = await write(database, journal, arrival(2, "completed"))
    assert held.receipts[0].disposition is Disposition.HELD
    assert await rows(database, "SELECT state, cursor FROM sessions") == [("pending", 0)]
    await write(database, journal, arrival(1, "created"))
    assert await rows(database, "SELECT disposition FROM events ORDER BY sequence") == [("applied",), ("applied",)]
    assert await rows(database, "SELECT earliest_held_at FROM sessions") == [(None,)]


async def test_a_gap_is_closed_once_its_time_is_over_and_not_before(database, journal, clock: Clock):
    await sweep(database, journal)
    await write(database, journal, arrival(2, "completed"))
    for _ in range(29):
        clock.advance(1)
        assert (await sweep(database, journal)).gaps_closed == 0
    clock.advance(1)
    assert (await sweep(database, journal)).gaps_closed == 1
    assert await rows(database, "SELECT cause, event_id FROM transitions ORDER BY ordinal") == [
        ("inferred", None),
        ("event", "e2-completed"),
    ]
    late = await write(database, journal, arrival(1, "created"))
    assert late.receipts[0].disposition is Disposition.LATE
    assert await rows(database, "SELECT event_id, sequence FROM transitions WHERE cause = 'inferred'") == [
        ("e1-created", 1)
    ]


async def test_an_interruption_counts_as_no_waiting(database, journal, clock: Clock):
    await sweep(database, journal)
    await write(database, journal, arrival(2, "completed"))
    clock.advance(100)
    assert (await sweep(database, journal)).gaps_closed == 0
    for _ in range(15):
        clock.advance(2)
        entry = await sweep(database, journal)
    assert entry.gaps_closed == 1


async def test_every_order_and_repetition_leaves_the_same_rows(database, journal):
    story = [arrival(1, "created"), arrival(2, "step"), arrival(3, "completed"), arrival(4, "aborted")]
    seen = set()
    for number in range(60):
        shuffled = random.Random(number)
        session = UUID(int=number)
        deliveries = [*story, *shuffled.choices(story, k=3)]
        shuffled.shuffle(deliveries)
        renewed = [arrival(a.event.sequence, a.event.name.removeprefix("session."), session) for a in deliveries]
        cut = shuffled.randrange(1, len(renewed))
        await write(database, journal, *renewed[:cut])
        await write(database, journal, *renewed[cut:])
        where = f"session_id = '{session.hex if database.dialect == 'sqlite' else session}'"
        seen.add(
            (
                *await rows(database, f"SELECT state, cursor, contiguous, ordinal FROM sessions WHERE {where}"),
                *await rows(database, f"SELECT event_id, disposition FROM events WHERE {where} ORDER BY sequence"),
                *await rows(database, f"SELECT ordinal, trigger FROM transitions WHERE {where} ORDER BY ordinal"),
            )
        )
    assert len(seen) == 1
