"""The theorem again, through the store: however a story is told and cut into batches, its rows are what the fold says.

The fold keeps the same session in memory; `tests/core` holds it to what must come out. Small stories are told in every
order, with every event repeated at every place, and with every part lost, and each telling is cut into batches in every
way; large ones, of several sessions at once and by any chart, with conflicts and gaps given up on, as Hypothesis draws.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import chain, combinations, permutations, product
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import databases
from databases import Clock
from memory import EVERYBODY, MemorySession, again, ended_at, said
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.callbacks import encode
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition
from statekeeper.core.statechart import Statechart
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.rows import read_snapshot
from statekeeper.store.tables import CallbackRow, DeliveryRow, EventRow, SessionRow, TransitionRow, table
from tales import charts, tales

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
IDNOW = default_chart()
GAP_SECONDS, SAMPLE, TOGETHER = 8, 200, 250
STORIES = [
    [said(1, "session.created", flow_id="flow"), said(2, "session.completed", environment="live")],
    [said(1, "unknown"), said(2, "session.expired", last_step=ended_at("two")), said(3, "session.created")],
    [
        said(1, "session.created", environment="live", last_step=ended_at("one")),
        said(2, "unknown", flow_id="flow", last_step=ended_at("two")),
        said(3, "session.aborted"),
        said(4, "session.completed", last_step=ended_at("four")),
    ],
]


@dataclass
class Telling:
    """One session's deliveries, cut into batches; `memory` is the same session by the fold alone."""

    batches: list[list[SessionEvent]]
    chart: Statechart = IDNOW
    session_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.memory = MemorySession(self.chart)
        self.repeats, self.conflicts = 0, 0

    def arrivals(self, number: int) -> list[Arrival]:
        batch = self.batches[number] if number < len(self.batches) else []
        return [Arrival(replace(event, session_id=self.session_id), "token", KEY) for event in batch]

    def hear(self, number: int) -> list[tuple[Disposition, str]]:
        """What the fold makes of a batch: for each event what its sender must be told."""
        told = []
        for event in self.batches[number] if number < len(self.batches) else []:
            disposition = self.memory.hear(event)
            self.repeats += disposition is Disposition.DUPLICATE
            self.conflicts += disposition is Disposition.CONFLICT
            told.append((disposition, self.memory.snapshot.state))
        return told


class Store:
    """A journal on a store, and all that the store has of its sessions."""

    def __init__(self, database: Database, chart: Statechart, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._journal = Journal(Charts(chart), EVERYBODY, timedelta(seconds=GAP_SECONDS), jitter=lambda: 0.0)

    async def run(self, job):
        async with self._database.writer.begin() as connection:
            return await connection.run_sync(lambda sync: job(sync, self._database.now(sync)))

    async def tell(self, tellings: list[Telling]) -> None:
        """Tell them all, the n-th batches of all in the same transaction; each sender is told what the fold says."""
        await self.run(self._journal.charts.register)
        for number in range(max(len(telling.batches) for telling in tellings)):
            arrivals = [arrival for telling in tellings for arrival in telling.arrivals(number)]
            entry = await self.run(
                lambda connection, now, batch=arrivals: databases.write(self._journal, connection, batch, now)
            )
            told = [each for telling in tellings for each in telling.hear(number)]
            assert [(receipt.disposition, receipt.state) for receipt in entry.receipts] == told

    async def give_up(self, tellings: list[Telling]) -> None:
        """Let the time of every gap pass, without an interruption, and close them all."""
        await self.run(partial(databases.sweep, self._journal))
        self._clock.advance(GAP_SECONDS)
        while (await self.run(partial(databases.sweep, self._journal))).gaps_closed:
            pass
        for telling in tellings:
            telling.memory.close_gaps()

    async def check(self, tellings: list[Telling]) -> None:
        """What the store has of each session is what the fold has."""
        ids = [telling.session_id for telling in tellings]
        models = (SessionRow, TransitionRow, EventRow, DeliveryRow, CallbackRow)
        found = [await self.run(lambda sync, _, model=model: _read(sync, model, ids)) for model in models]
        for telling in tellings:
            check(telling, *(rows[telling.session_id] for rows in found))


def _read(connection, model, ids):
    rows = defaultdict(list)
    of = table(model)
    for row in connection.execute(select(of).where(of.c.session_id.in_(ids))):
        rows[row.session_id].append(row)
    return rows


def check(telling, sessions, transitions, events, deliveries, callbacks) -> None:
    memory = telling.memory
    snapshot = replace(memory.snapshot, held=(), session_id=telling.session_id)
    ((row, stored),) = [(row, read_snapshot(row)) for row in sessions]
    assert stored == snapshot
    assert row.held == [event.sequence for event in memory.snapshot.held]
    assert (row.earliest_held_at is None) == (not row.held)
    assert (row.terminal, row.ended_at is not None) == (memory.terminal, memory.terminal)
    assert sorted(_step(row) for row in transitions) == [
        (step.ordinal, step.source, step.target, step.trigger, step.cause, step.reason, _bearer(step.event))
        for step in memory.steps
    ]
    kept = {row.event_id: row.disposition for row in events if row.disposition != Disposition.CONFLICT}
    assert kept == memory.became
    assert (len(events) - len(kept), len(deliveries)) == (telling.conflicts, telling.repeats)
    assert sorted(row.arrival for row in (*events, *deliveries)) == list(range(1, row.arrivals + 1))
    assert sorted(_told(row.body, row.subscriber) for row in callbacks) == sorted(
        _told(encode(callback), callback.subscriber) for callback in memory.owed
    )


def _step(row):
    bearer = None if row.event_id is None else (row.event_id, row.sequence)
    return (row.ordinal, row.source, row.target, row.trigger, row.cause, row.reason, bearer)


def _bearer(event):
    return None if event is None else (event.event_id, event.sequence)


def _told(body, subscriber):
    """A callback's words but for its ids and its time."""
    data = json.loads(body)["data"]
    return subscriber, json.dumps({key: data[key] for key in data.keys() - {"callbackId", "sessionId", "endedAt"}})


def ways(story) -> Iterator[tuple[SessionEvent, ...]]:
    """Every order; every order with one event repeated at every place behind it; every part of it in every order."""
    for order in permutations(story):
        yield order
        for place, event in enumerate(order, 1):
            yield from ((*order[:later], again(event), *order[later:]) for later in range(place, len(order) + 1))
    yield from chain.from_iterable(
        permutations(part) for size in range(1, len(story)) for part in combinations(story, size)
    )


def cuts(events) -> Iterator[list[list[SessionEvent]]]:
    """Every way to cut a list into batches."""
    for borders in product((False, True), repeat=len(events) - 1):
        batches = [[events[0]]]
        for event, border in zip(events[1:], borders, strict=True):
            if border:
                batches.append([])
            batches[-1].append(event)
        yield batches


async def test_every_way_to_tell_a_small_story_leaves_the_rows_that_the_fold_says(database, clock):
    tellings = [Telling(batches) for story in STORIES for way in ways(story) for batches in cuts(way)]
    random.Random(1).shuffle(tellings)
    chosen = tellings if database.dialect == "sqlite" else tellings[:SAMPLE]
    store = Store(database, IDNOW, clock)
    for start in range(0, len(chosen), TOGETHER):
        together = chosen[start : start + TOGETHER]
        await store.tell(together)
        await store.check(together)
        await store.give_up(together)
        await store.check(together)


@st.composite
def conversations(draw):
    """A few sessions by one chart: their events in disorder, repeated, lost, contradicted; twice, with gaps closed."""
    chart = draw(charts())
    tellings = [[], []]
    for session_id in [uuid4() for _ in range(draw(st.integers(1, 3)))]:
        events = draw(tales(chart, max_size=12))
        heard = draw(
            st.lists(
                st.sampled_from([*events, *map(again, events), *map(contradicted, events)]), min_size=2, max_size=20
            )
        )
        middle = len(heard) // 2
        first = Telling(draw(st.sampled_from(some_cuts(heard[:middle]))), chart, session_id)
        tellings[0].append(first)
        tellings[1].append(draw(st.sampled_from(some_cuts(heard[middle:]))))
    return chart, *tellings


def contradicted(event):
    """Another event under the number, or another number, or other facts under the id."""
    return {
        0: replace(event, event_id=f"other-{event.sequence}"),
        1: replace(event, sequence=event.sequence + 1),
        2: replace(event, session_status="OTHER"),
        3: replace(event, environment="elsewhere"),
    }[event.sequence % 4]


def some_cuts(events):
    return [[events[start : start + size] for start in range(0, len(events), size)] for size in (1, 2, 3, 20)]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation=conversations())
async def test_large_stories_of_any_chart_leave_the_rows_that_the_fold_says(database, clock, conversation):
    chart, tellings, behind = conversation
    store = Store(database, chart, clock)
    await store.tell(tellings)
    await store.check(tellings)
    await store.give_up(tellings)
    await store.check(tellings)
    for telling, batches in zip(tellings, behind, strict=True):
        telling.batches = batches
    await store.tell(tellings)
    await store.give_up(tellings)
    await store.check(tellings)
