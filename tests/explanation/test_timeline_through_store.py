"""Whatever is told of a session, its timeline has all of it once, in the order of time, and no effect before its cause.

Stories of any chart, in disorder, repeated, lost and contradicted, are written as the writer writes them and read as a
page reads them; gaps are given up on in between, and callbacks are tried.
"""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import databases
from memory import EVERYBODY, again
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.retry import Attempt, Delivered, Outcome, RetryAt
from statekeeper.core.snapshot import Disposition
from statekeeper.explanation.timeline import Kind, timeline
from statekeeper.explanation.turns import turns
from statekeeper.explanation.waits import waits
from statekeeper.store import outbox
from statekeeper.store.charts import Charts
from statekeeper.store.journal import Journal
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader
from tales import charts, tales

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
LEASE = timedelta(seconds=50)


@pytest.fixture
def engine_name():
    """One engine will do: both answer with the same case."""
    return "sqlite"


def contradicted(event):
    return again(event).__class__(f"other-{event.sequence}", event.name, event.sequence, event.session_id)


@st.composite
def stories(draw):
    """A chart, and batches of events by it; after each, how many seconds pass, and whether somebody is told."""
    chart = draw(charts())
    events = draw(tales(chart, max_size=10))
    said = st.sampled_from([*events, *map(again, events), *map(contradicted, events)])
    batch = st.tuples(st.lists(said, min_size=1, max_size=6), st.sampled_from([0, 0.001, 5, 40]), st.booleans())
    return chart, draw(st.lists(batch, min_size=1, max_size=5))


class Teller:
    """A store that is told a story, and has what it owes tried."""

    def __init__(self, database, clock, chart):
        self.database, self.clock, self.session_id = database, clock, uuid4()
        self.receipts = []
        self.journal = Journal(Charts(chart), EVERYBODY, timedelta(seconds=30), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda sync: job(sync, self.database.now(sync)))

    async def tell(self, batches):
        await self.run(self.journal.charts.register)
        for events, seconds, delivers in batches:
            members = [{**vars(event), "session_id": self.session_id} for event in events]
            arrivals = [
                Arrival(type(event)(**{name: value for name, value in each.items() if name != "digest"}), "token", KEY)
                for event, each in zip(events, members, strict=True)
            ]
            entry = await self.run(lambda c, now, batch=arrivals: databases.write(self.journal, c, batch, now))
            self.receipts += [receipt.disposition for receipt in entry.receipts]
            if delivers:
                await self.run(self._deliver)
            for _ in range(8):
                self.clock.advance(seconds / 8)
                await self.run(lambda c, now: databases.sweep(self.journal, c, now))

    def _deliver(self, connection, now):
        for number, subscriber in enumerate(EVERYBODY):
            for claim in outbox.claim(connection, subscriber.name, 2, now, LEASE):
                outcome, verdict = [(Outcome.FAILED, RetryAt(now)), (Outcome.DELIVERED, Delivered())][number % 2]
                outbox.settle(connection, claim, Attempt(outcome, now, 3), verdict, now)

    async def case(self):
        return await Queries(Reader(self.database.reader, clock=self.clock)).cases.find(self.session_id)


def places(moments, kind, key):
    return {key(moment): place for place, moment in enumerate(moments) if moment.kind is kind}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
async def test_a_timeline_has_everything_once_in_time_and_behind_its_cause(database, clock, story):
    chart, batches = story
    teller = Teller(database, clock, chart)
    await teller.tell(batches)
    case = await teller.case()
    moments = timeline(case)
    assert all(here.at <= there.at for here, there in pairwise(moments))
    has_everything_once(case, moments)
    has_no_effect_before_its_cause(case, moments)
    assert all(str(moment.what) for moment in moments)
    says_who_waited(case, teller.receipts)


def says_who_waited(case, receipts):
    """What each sender was told when its event came; and by the fold's own account, what was given up on."""
    chain = turns(case)
    waited = {arrival for arrival, disposition in enumerate(receipts, 1) if disposition is Disposition.HELD}
    gaps = [turn.gap for turn in chain if turn.gap]
    assert waits(case, chain).missed.keys() <= waited
    if all(gap.exact for gap in gaps):
        assert waits(case, chain).waited == waited
    if not case.terminal:
        late = {step.sequence for step in case.steps}
        assert set(case.given_up) == {number for gap in gaps for number in gap.numbers} - late


def has_everything_once(case, moments):
    counts = Counter(moment.kind for moment in moments)
    arrivals = places(moments, Kind.ARRIVAL, lambda moment: moment.event.arrival)
    steps = places(moments, Kind.STEP, lambda moment: moment.step.ordinal)
    attempts = places(moments, Kind.ATTEMPT, lambda moment: (moment.callback.callback_id, moment.attempt.number))
    callbacks = places(moments, Kind.CALLBACK, lambda moment: moment.callback.callback_id)
    assert arrivals.keys() == {event.arrival for event in case.events}
    assert list(steps) == [step.ordinal for step in case.steps]
    assert callbacks.keys() == {callback.callback_id for callback in case.callbacks}
    assert attempts.keys() == {(each.callback_id, n.number) for each in case.callbacks for n in each.attempts}
    found = (arrivals, steps, callbacks, attempts)
    assert [*map(len, found)] == [counts[kind] for kind in (Kind.ARRIVAL, Kind.STEP, Kind.CALLBACK, Kind.ATTEMPT)]


def has_no_effect_before_its_cause(case, moments):
    steps = places(moments, Kind.STEP, lambda moment: moment.step.ordinal)
    callbacks = places(moments, Kind.CALLBACK, lambda moment: moment.callback.callback_id)
    kept = {event.event_id for event in case.events if event.disposition != "conflict"}
    for step in case.steps:
        if step.cause == "event" and step.event_id in kept:
            assert last_arrival(moments, case, step) < steps[step.ordinal]
    for callback in case.callbacks:
        assert steps[callback.ordinal] < callbacks[callback.callback_id]
    for place, moment in enumerate(moments):
        if moment.attempt:
            assert callbacks[moment.callback.callback_id] < place


def last_arrival(moments, case, step):
    """The place of the last that a step had to wait for: its event, or one before it that was not given up on."""
    arrivals = places(moments, Kind.ARRIVAL, lambda moment: moment.event.arrival)
    kept = [event for event in case.events if event.disposition != "conflict"]
    late = {each.sequence for each in case.steps if each.reason}
    needed = [event for event in kept if event.event_id == step.event_id]
    if not step.reason:
        needed += [e for e in kept if e.sequence < step.sequence and e.disposition != "late" and e.sequence not in late]
    return max(arrivals[event.arrival] for event in needed)
