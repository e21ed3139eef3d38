"""The feed, on both engines: one order without a gap, pages that never change, and consumers that stand in it."""

import asyncio
import json
import random
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

import databases
from databases import Clock, rows
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import NotFound, PositionMoved, QueryRefused, TooManyConsumers
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import consumers, feed_pages
from statekeeper.store.charts import Charts
from statekeeper.store.consumers import Placement
from statekeeper.store.database import Database
from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.journal import Journal
from statekeeper.store.queries import Queries

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))
ALL, ENDS = FeedFilter(terminal=False), FeedFilter()
END_STEP = LastStep("END-ACCEPT", "END", "COMPLETED")


def arrival(sequence: int, name: str, session: UUID = FIRST, **members) -> Arrival:
    event = SessionEvent(f"{session}-{sequence}", f"session.{name}", sequence, session, **members)
    return Arrival(event, f"token-{session}-{sequence}", KEY)


def story(session: UUID, end: str = "completed", **members) -> list[Arrival]:
    return [arrival(1, "created", session, **members), arrival(2, end, session, **members)]


class Store:
    """A store to write to and to read the feed of."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.queries = Queries(database.reader, clock=clock)
        self.journal = Journal(Charts(default_chart()), (Subscriber("crm"),), timedelta(seconds=30), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def take(self, *arrivals: Arrival):
        await self.run(self.journal.charts.register)
        return await self.run(lambda c, now: databases.write(self.journal, c, arrivals, now))

    async def close_gaps(self, clock: Clock):
        """Let a gap's time go by as a service does that runs all along."""
        for _ in range(40):
            clock.advance(1)
            await self.run(lambda c, now: databases.sweep(self.journal, c, now))

    async def place(self, name: str, position: int | None, **options) -> bool:
        return await self.run(lambda c, now: consumers.place(c, Placement(name, position, **options), now))

    async def walk(self, wanted: FeedFilter = ALL, limit: int = 100) -> list[str]:
        """What a reader sees from the beginning: each page behind the one before, up to an empty one."""
        seen, after = [], 0
        while items := (page := await self.queries.feed(after, wanted, limit)).items:
            assert len(items) <= limit
            assert int(page.next_cursor) >= int(items[-1].position) > after
            seen += [msgspec.json.encode(item).decode() for item in items]
            after = int(page.next_cursor)
        assert int(page.next_cursor) == await self.queries.feed_head()
        return seen


@pytest.fixture
def store(database, clock) -> Store:
    return Store(database, clock)


def members(items: Iterable[str], *names: str) -> list[tuple]:
    return [tuple(json.loads(item)[name] for name in names) for item in items]


async def test_positions_are_without_a_gap_and_in_each_sessions_order(store):
    """Whatever the batches are, and whatever waits in them for its turn."""
    chance = random.Random(7)
    sessions = [UUID(int=number) for number in range(1, 13)]
    coming = [each for session in sessions for each in story(session)]
    chance.shuffle(coming)
    while coming:
        size = chance.randint(1, 5)
        await store.take(*coming[:size])
        del coming[:size]
    positions = members(await store.walk(limit=5), "position", "sessionId", "ordinal")
    assert [int(position) for position, *_ in positions] == list(range(1, 25))
    for session in sessions:
        assert [ordinal for _, of, ordinal in positions if of == str(session)] == [1, 2]


async def test_a_transaction_rolled_back_leaves_no_hole(store):
    await store.take(*story(FIRST))
    with pytest.raises(ZeroDivisionError):
        await store.run(lambda c, now: databases.write(store.journal, c, story(SECOND), now) and 1 / 0)
    assert await store.queries.feed_head() == 2
    await store.take(*story(THIRD))
    assert members(await store.walk(), "position", "sessionId") == [
        ("1", str(FIRST)),
        ("2", str(FIRST)),
        ("3", str(THIRD)),
        ("4", str(THIRD)),
    ]


@pytest.mark.parametrize("committed", [True, False])
async def test_who_comes_second_waits_for_the_first_and_goes_on_where_that_has_ended(store, committed):
    """Two nodes: the second has no position before the first is committed or rolled back."""
    await store.take(*story(FIRST))
    async with store.database.writer.connect() as connection:
        await connection.run_sync(lambda c: databases.write(store.journal, c, story(SECOND), store.database.now(c)))
        other = asyncio.create_task(store.take(*story(THIRD)))
        await asyncio.wait({other}, timeout=0.2)
        assert not other.done()
        assert await store.queries.feed_head() == 2
        await (connection.commit() if committed else connection.rollback())
    await asyncio.wait_for(other, 10)
    expected = [FIRST, SECOND, THIRD] if committed else [FIRST, THIRD]
    assert members(await store.walk(ENDS), "position", "sessionId") == [
        (str(2 * number), str(session)) for number, session in enumerate(expected, 1)
    ]


async def test_what_takes_no_step_moves_no_position(store):
    await store.take(*story(FIRST))
    await store.take(*story(FIRST))
    await store.take(arrival(2, "completed", SECOND))
    assert await store.queries.feed_head() == 2


async def test_a_feed_without_a_step_is_an_empty_page_at_its_beginning(store):
    page = await store.queries.feed(0, ENDS)
    assert (page.items, page.next_cursor) == ([], "0")


async def test_a_cursor_goes_on_past_what_is_not_wanted(store):
    await store.take(*story(FIRST), arrival(1, "created", SECOND))
    page = await store.queries.feed(0, ENDS)
    assert [(item.position, item.session_id) for item in page.items] == [("2", FIRST)]
    assert page.next_cursor == "3"
    rest = await store.queries.feed(3, ENDS)
    assert (rest.items, rest.next_cursor) == ([], "3")


async def test_a_full_page_ends_at_its_last_item(store):
    await store.take(*story(FIRST), *story(SECOND), *story(THIRD))
    page = await store.queries.feed(0, ENDS, 2)
    assert [item.position for item in page.items] == ["2", "4"]
    assert page.next_cursor == "4"
    assert [item.position for item in (await store.queries.feed(4, ENDS, 2)).items] == ["6"]


async def test_a_position_that_the_feed_has_not_reached_is_refused(store):
    await store.take(*story(FIRST))
    for after in (3, 10**18 - 1):
        with pytest.raises(QueryRefused) as refused:
            await store.queries.feed(after, ALL)
        assert refused.value.fault.field == "after"


@pytest.fixture
async def mixed(store) -> Store:
    """Three sessions that differ in their ends, their environments and their flows."""
    await store.take(*story(FIRST, environment="live", flow_id="a"))
    await store.take(*story(SECOND, "aborted", environment="staging", flow_id="a"))
    await store.take(*story(THIRD, "error", environment="live", flow_id="b"))
    return store


FILTERS = [
    (FeedFilter(), ["2", "4", "6"]),
    (FeedFilter(terminal=False), ["1", "2", "3", "4", "5", "6"]),
    (FeedFilter(states=("aborted", "error")), ["4", "6"]),
    (FeedFilter(states=("created",)), []),
    (FeedFilter(terminal=False, states=("created",)), ["1", "3", "5"]),
    (FeedFilter(environment="live"), ["2", "6"]),
    (FeedFilter(flow_id="a"), ["2", "4"]),
    (FeedFilter(flow_id="a", environment="live", states=("completed",)), ["2"]),
    (FeedFilter(flow_id="c"), []),
]


@pytest.mark.parametrize("stretch", [1, 2, 3, feed_pages.STRETCH])
async def test_a_filter_finds_the_same_over_stretches_of_any_length(mixed, monkeypatch, stretch):
    monkeypatch.setattr(feed_pages, "STRETCH", stretch)
    for wanted, expected in FILTERS:
        for limit in (1, 2, 100):
            assert members(await mixed.walk(wanted, limit), "position") == [(each,) for each in expected], wanted


async def test_a_statement_reads_no_further_than_a_stretch_for_a_sparse_filter(mixed, monkeypatch):
    monkeypatch.setattr(feed_pages, "STRETCH", 2)
    async with mixed.database.reader.connect() as connection:
        found = await connection.run_sync(feed_pages.read_stretch, 0, FeedFilter(states=("error",)), 100)
    assert (found.items, found.cursor, found.head) == ([], 2, 6)


async def test_a_terminal_item_says_what_the_callback_of_its_step_says(store, clock):
    """Member by member, for a session in order and for one that ended on a guess."""
    told = {"environment": "live", "flow_id": "flow", "last_step": END_STEP}
    await store.take(arrival(1, "created", FIRST), arrival(2, "step", FIRST), arrival(3, "completed", FIRST, **told))
    await store.take(*story(SECOND, "aborted"))
    await store.take(arrival(4, "expired", THIRD))
    await store.close_gaps(clock)
    items = [json.loads(item) for item in await store.walk(ENDS)]
    bodies = [json.loads(body) for (body,) in await rows(store.database, "SELECT body FROM callbacks")]
    said = {body["data"]["sessionId"]: body for body in bodies}
    assert len(items) == len(bodies) == 3
    for item in items:
        body = said[item["sessionId"]]
        data = {name: value for name, value in body["data"].items() if name != "callbackId"}
        assert {name: item[name] for name in data} == data
        assert (item["type"], item["at"]) == (body["type"], body["timestamp"])


async def test_an_item_that_is_no_end_has_only_what_is_the_steps_own(store):
    await store.take(arrival(1, "created", FIRST, environment="live"))
    assert list(json.loads((await store.walk())[0])) == [
        *("type", "position", "sessionId", "ordinal", "state", "source", "trigger", "cause"),
        *("eventId", "sequence", "at", "terminal"),
    ]


async def test_no_item_changes_once_it_can_be_read(store, clock):
    """A guess that is confirmed too late, and whatever comes behind an end, leave the same bytes."""
    await store.take(arrival(3, "completed", FIRST))
    await store.close_gaps(clock)
    await store.take(arrival(1, "created", SECOND))
    seen = await store.walk()
    assert members(seen, "cause", "eventId") == [
        ("inferred", None),
        ("event", f"{FIRST}-3"),
        ("event", f"{SECOND}-1"),
    ]
    late = {"environment": "live", "flow_id": "late", "last_step": END_STEP}
    await store.take(arrival(1, "created", FIRST, **late))
    assert await rows(store.database, "SELECT event_id FROM transitions WHERE cause = 'inferred'") == [(f"{FIRST}-1",)]
    await store.take(arrival(4, "error", FIRST, **late), arrival(2, "step", FIRST, **late))
    await store.take(arrival(2, "completed", SECOND, **late))
    assert (await store.walk())[:3] == seen


async def test_a_sessions_own_feed_is_behind_an_ordinal(store):
    await store.take(*story(FIRST), *story(SECOND))
    assert [item.position for item in await store.queries.session_feed(SECOND)] == ["3", "4"]
    assert [item.ordinal for item in await store.queries.session_feed(SECOND, 1)] == [2]
    assert await store.queries.session_feed(SECOND, 2) == []
    assert await store.queries.session_feed(THIRD) is None


async def test_a_consumer_is_made_and_moves_back_and_forth(store, clock):
    await store.take(*story(FIRST), *story(SECOND))
    assert await store.place("crm", 2)
    made = await store.queries.consumer("crm")
    clock.advance(1)
    assert not await store.place("crm", 4)
    assert not await store.place("crm", 1, terminal=False)
    moved = await store.queries.consumer("crm")
    assert (made.position, made.transitions, moved.position, moved.transitions) == ("2", "terminal", "1", "all")
    assert moved.created_at == made.created_at == made.updated_at < moved.updated_at
    assert not await store.place("crm", None)
    assert await store.queries.consumer_position("crm") == (4, False)


async def test_who_expects_a_consumer_elsewhere_does_not_move_it(store):
    await store.take(*story(FIRST))
    await store.place("crm", 0)
    assert not await store.place("crm", 2, expected=0)
    with pytest.raises(PositionMoved):
        await store.place("crm", 1, expected=0)
    with pytest.raises(NotFound):
        await store.place("mail", 1, expected=0)
    assert [view.position for view in (await store.queries.consumers()).items] == ["2"]


async def test_no_consumer_is_beyond_the_head_and_none_is_more_than_there_may_be(store, monkeypatch):
    await store.take(*story(FIRST))
    with pytest.raises(QueryRefused):
        await store.place("crm", 3)
    monkeypatch.setattr(consumers, "MAX_CONSUMERS", 1)
    await store.place("crm", 2)
    with pytest.raises(TooManyConsumers):
        await store.place("mail", 0)
    assert not await store.place("crm", 0)


async def test_a_consumer_that_is_removed_is_unknown(store):
    await store.place("crm", 0)
    await store.run(lambda c, _now: consumers.remove(c, "crm"))
    for ask in (store.queries.consumer, store.queries.consumer_position):
        with pytest.raises(NotFound):
            await ask("crm")
    with pytest.raises(NotFound):
        await store.run(lambda c, _now: consumers.remove(c, "crm"))


async def test_a_lag_counts_what_is_wanted_and_the_time_since_the_first_of_it(store, clock):
    await store.place("ends", 0)
    await store.place("steps", 0, terminal=False)
    assert [(view.lag, view.seconds_behind) for view in (await store.queries.consumers()).items] == [(0, 0), (0, 0)]
    await store.take(arrival(1, "created", FIRST))
    clock.advance(10)
    await store.take(arrival(2, "completed", FIRST), *story(SECOND))
    clock.advance(5)
    listed = await store.queries.consumers()
    assert listed.head == "4"
    assert [(each.name, each.lag, each.seconds_behind) for each in listed.items] == [("ends", 2, 5), ("steps", 4, 15)]
    await store.place("ends", 2)
    await store.place("steps", 4)
    assert [(each.lag, each.seconds_behind) for each in (await store.queries.consumers()).items] == [(1, 5), (0, 0)]
