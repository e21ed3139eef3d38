"""The meter: what each minute brought is what the counters have grown by, over failures and restarts."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from databases import rows
from statekeeper.core.errors import Unavailable
from statekeeper.meter import Meter, read_figures, this_node
from statekeeper.store import minutes
from statekeeper.store.minutes import Figures


class Counters:
    """A process's counters, of its own registry."""

    def __init__(self):
        registry = CollectorRegistry()
        self.events = Counter("events", "-", ["disposition"], registry=registry)
        self.refusals = Counter("refusals", "-", ["reason"], registry=registry)
        self.latency = Histogram("ack", "-", buckets=(0.01, 0.1), registry=registry)

    def read(self):
        return read_figures(self.events, self.refusals, self.latency)


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def execute(database):
    """As the writer does."""

    async def execute(job):
        async with database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, database.now(c)))

    return execute


async def kept(database, execute):
    found = []
    of = minutes._minutes
    await execute(lambda c, _: found.extend(c.execute(of.select().order_by(of.c.minute, of.c.node))))
    return [(row.minute.minute, row.node, row.events, row.refusals, row.latencies) for row in found]


async def test_only_what_was_counted_since_the_last_time_is_added(database, execute, counters):
    counters.events.labels("applied").inc(5)
    meter = Meter(execute, "a", counters.read)
    counters.events.labels("applied").inc(2)
    counters.events.labels("held").inc()
    counters.latency.observe(0.005)
    await meter.write()
    counters.events.labels("applied").inc()
    counters.refusals.labels("expired").inc(3)
    for seconds in (0.01, 0.05, 7):
        counters.latency.observe(seconds)
    await meter.write()
    await meter.write()
    assert await kept(database, execute) == [(35, "a", {"applied": 3, "held": 1}, {"expired": 3}, [2, 1, 1])]


async def test_what_could_not_be_written_is_written_the_next_time(database, execute, counters):
    away = True

    async def unsure(job):
        if away:
            raise Unavailable("The store is away.", reason="store")
        await execute(job)

    meter = Meter(unsure, "a", counters.read)
    counters.events.labels("applied").inc()
    with pytest.raises(Unavailable):
        await meter.write()
    away = False
    counters.events.labels("applied").inc()
    await meter.write()
    assert await kept(database, execute) == [(35, "a", {"applied": 2}, {}, [0, 0, 0])]


async def test_a_node_that_was_restarted_goes_on_with_its_minute_and_beside_others(database, execute, clock):
    for node, number in (("a", 1), ("b", 10), ("a", 2)):
        counters = Counters()
        meter = Meter(execute, node, counters.read)
        counters.events.labels("applied").inc(number)
        await meter.write()
    clock.advance(60)
    counters.events.labels("applied").inc(4)
    await meter.write()
    assert [(at, node, of["applied"]) for at, node, of, _, _ in await kept(database, execute)] == [
        (35, "a", 3),
        (35, "b", 10),
        (36, "a", 4),
    ]


async def test_what_is_older_than_a_day_is_forgotten(database, execute, clock):
    add = lambda node: execute(lambda c, now: minutes.add(c, node, Figures({"applied": 1}), now))  # noqa: E731
    await add("gone")
    await add("a")
    clock.advance(timedelta(hours=23, minutes=59).total_seconds())
    await add("a")
    assert await rows(database, "SELECT count(*) FROM minutes") == [(3,)]
    clock.advance(60)
    await add("a")
    assert await rows(database, "SELECT count(*) FROM minutes WHERE node = 'a'") == [(2,)]
    assert await rows(database, "SELECT count(*) FROM minutes WHERE node = 'gone'") == [(0,)]


async def test_an_hour_of_nothing_but_refusals_is_written_as_well(database, execute, counters):
    meter = Meter(execute, "a", counters.read)
    counters.refusals.labels("expired").inc()
    await meter.write()
    assert await kept(database, execute) == [(35, "a", {}, {"expired": 1}, [0, 0, 0])]


async def test_nothing_is_written_while_nothing_comes(execute, counters):
    async def never(_job):
        raise AssertionError

    meter = Meter(never, "a", counters.read)
    counters.events.labels("applied").inc(0)
    await meter.write()


async def test_it_writes_once_more_when_it_is_closed(counters):
    written = []

    async def take(job):
        written.append(job)

    meter = Meter(take, "a", counters.read, period=3600)
    running = asyncio.create_task(meter.run())
    counters.events.labels("applied").inc()
    meter.close()
    await running
    assert len(written) == 1


async def test_it_outlives_a_store_that_is_away(counters):
    calls = []

    async def away(_job):
        calls.append(1)
        if len(calls) == 2:
            meter.close()
        raise Unavailable("The store is away.", reason="store")

    meter = Meter(away, "a", counters.read, period=0)
    counters.events.labels("applied").inc()
    await meter.run()
    assert len(calls) >= 2


def test_a_node_is_called_by_its_host_and_process_in_64_characters(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "h" * 100)
    assert len(this_node()) == 64
    assert this_node().startswith("hhh")
