"""The feed in the store, on both engines: positions without a gap, pages that never change, consumers with a lag."""

import asyncio
import json
import random
from uuid import UUID

import msgspec
import pytest

import databases
from databases import Clock, rows
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import NotFound, PositionMoved, QueryRefused, TooManyConsumers
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.subscribers import Scope, Subscriber
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
ENDS, ALL = FeedFilter(), FeedFilter(terminal=False)
STEP = LastStep("END-ACCEPT", "END", "COMPLETED")


def arrival(session: UUID, sequence: int, name: str, **members) -> Arrival:
    return Arrival(SessionEvent(f"e{sequence}-{name}", f"session.{name}", sequence, session, **members), "token", KEY)


class Store:
    """A store to write to, and to read the feed of."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.queries = Queries(database.reader, clock=clock)
        self.journal = Journal(Charts(default_chart()), (Subscriber("steps", scope=Scope.ALL),), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda sync: job(sync, self.database.now(sync)))

    async def take(self, *arrivals: Arrival):
        await self.run(self.journal.charts.register)
        return await self.run(lambda sync, now: databases.write(self.journal, sync, arrivals, now))

    async def end(self, session: UUID, name: str = "completed", **members) -> None:
        self.clock.advance(1)
        await self.take(arrival(session, 1, "created", **members), arrival(session, 2, name, **members))

    async def give_up(self) -> None:
        await self.run(lambda sync, now: databases.sweep(self.journal, sync, now))
        for _ in range(31):
            self.clock.advance(1)
            await self.run(lambda sync, now: databases.sweep(self.journal, sync, now))

    async def walk(self, wanted: FeedFilter, limit: int = 100) -> list[tuple[int, int, str]]:
        """What a reader sees from the beginning, each page behind the one before, up to an empty one at the head."""
        seen, after = [], 0
        while (page := await self.queries.feed(after, wanted, limit)).items:
            assert len(page.items) <= limit
            assert after < int(page.items[-1].position) <= int(page.next_cursor)
            seen += short(page)
            after = int(page.next_cursor)
        assert int(page.next_cursor) == await self.queries.feed_head()
        return seen

    async def place(self, name: str, position: int | None, **more) -> bool:
        return await self.run(lambda sync, now: consumers.place(sync, Placement(name, position, **more), now))


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, clock)


def short(page) -> list[tuple[int, int, str]]:
    return [(int(each.position), each.session_id.int, each.state) for each in page.items]


FILTERS = [
    (ENDS, [2, 4, 6]),
    (ALL, [1, 2, 3, 4, 5, 6]),
    (FeedFilter(states=("aborted", "error")), [4, 6]),
    (FeedFilter(states=("created",)), []),
    (FeedFilter(terminal=False, states=("created",)), [1, 3, 5]),
    (FeedFilter(environment="live"), [2, 6]),
    (FeedFilter(flow_id="a"), [2, 4]),
    (FeedFilter(flow_id="a", environment="live", states=("completed",)), [2]),
    (FeedFilter(flow_id="c"), []),
]


class TestPositions:
    async def test_they_are_one_two_three_and_so_on_and_follow_each_sessions_order(self, store):
        await store.take(arrival(FIRST, 1, "created"), arrival(SECOND, 1, "created"))
        await store.take(arrival(SECOND, 2, "expired"), arrival(FIRST, 2, "completed"))
        page = await store.queries.feed(0, ALL)
        assert [position for position, _, _ in short(page)] == [1, 2, 3, 4]
        assert sorted(short(page)) == short(page)
        assert [each.ordinal for each in page.items if each.session_id == FIRST] == [1, 2]

    async def test_they_have_no_gap_whatever_the_batches_are_and_whatever_waits_for_its_turn(self, store):
        chance = random.Random(7)
        sessions = [UUID(int=number) for number in range(1, 13)]
        coming = [arrival(each, *event) for each in sessions for event in ((1, "created"), (2, "expired"))]
        chance.shuffle(coming)
        while coming:
            size = chance.randint(1, 5)
            await store.take(*coming[:size])
            del coming[:size]
        seen = await store.walk(ALL, limit=5)
        assert [position for position, _, _ in seen] == list(range(1, 25))
        for session in sessions:
            assert [state for _, of, state in seen if of == session.int] == ["created", "expired"]

    @pytest.mark.parametrize("committed", [True, False])
    async def test_who_comes_second_is_given_none_before_the_first_has_ended(self, store, committed):
        await store.end(FIRST)
        batch = [arrival(SECOND, 1, "created"), arrival(SECOND, 2, "completed")]
        async with store.database.writer.connect() as first:
            await first.run_sync(lambda c: databases.write(store.journal, c, batch, store.database.now(c)))
            second = asyncio.create_task(store.end(THIRD))
            await asyncio.wait({second}, timeout=0.2)
            assert not second.done()
            assert await store.queries.feed_head() == 2
            await (first.commit() if committed else first.rollback())
        await asyncio.wait_for(second, 10)
        expected = [1, 2, 3] if committed else [1, 3]
        assert [session for _, session, _ in await store.walk(ENDS)] == expected
        assert await store.queries.feed_head() == 2 * len(expected)

    async def test_what_is_rolled_back_leaves_no_hole(self, store):
        await store.end(FIRST)

        def fail(sync, now):
            databases.write(store.journal, sync, [arrival(SECOND, 1, "created")], now)
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await store.run(fail)
        await store.end(THIRD)
        assert short(await store.queries.feed(2, ALL)) == [(3, 3, "created"), (4, 3, "completed")]
        assert await rows(store.database, "SELECT position, ends FROM feed_heads") == [(4, 2)]

    async def test_a_batch_without_a_step_moves_nothing(self, store):
        await store.take(arrival(FIRST, 2, "completed"))
        assert await store.queries.feed_head() == 0


class TestPages:
    async def test_ends_are_shown_unless_all_is_asked_for(self, store):
        await store.end(FIRST)
        await store.take(arrival(SECOND, 1, "created"))
        assert short(await store.queries.feed(0, ENDS)) == [(2, 1, "completed")]
        assert len((await store.queries.feed(0, ALL)).items) == 3

    async def test_the_cursor_goes_past_what_is_not_wanted(self, store):
        await store.end(FIRST)
        await store.take(arrival(SECOND, 1, "created"))
        page = await store.queries.feed(0, ENDS)
        assert page.next_cursor == "3"
        again = await store.queries.feed(3, ENDS)
        assert (again.items, again.next_cursor) == ([], "3")

    async def test_a_full_page_goes_on_behind_its_last_item(self, store):
        for session in (FIRST, SECOND, THIRD):
            await store.end(session)
        page = await store.queries.feed(0, ENDS, 2)
        assert (short(page), page.next_cursor) == ([(2, 1, "completed"), (4, 2, "completed")], "4")
        assert short(await store.queries.feed(4, ENDS, 2)) == [(6, 3, "completed")]

    async def test_nothing_is_read_beyond_the_head_that_was_read_first(self, store, monkeypatch):
        await store.end(FIRST)
        monkeypatch.setattr(feed_pages, "head_of", lambda _connection: 1)
        assert short(await store.queries.feed(0, ALL)) == [(1, 1, "created")]

    async def test_a_position_that_was_never_given_is_refused(self, store):
        await store.end(FIRST)
        with pytest.raises(QueryRefused, match="beyond the head"):
            await store.queries.feed(3, ENDS)

    @pytest.mark.parametrize("stretch", [1, 3, 10_000])
    async def test_filters_find_what_is_rare_a_stretch_at_a_time(self, store, monkeypatch, stretch):
        monkeypatch.setattr(feed_pages, "STRETCH", stretch)
        await store.end(FIRST, environment="live", flow_id="a")
        await store.end(SECOND, "expired", environment="test", flow_id="b")
        await store.end(THIRD, "expired", environment="live", flow_id="b")

        async def found(**wanted):
            page = await store.queries.feed(0, FeedFilter(**wanted), 2)
            assert int(page.next_cursor) <= 6
            return [each.session_id for each in page.items]

        assert await found(environment="test") == [SECOND]
        assert await found(flow_id="a") == [FIRST]
        assert THIRD in await found(states=("expired",)) or stretch < 6
        assert await found(environment="gone") == []

    @pytest.mark.parametrize("stretch", [1, 2, 3, feed_pages.STRETCH])
    async def test_pages_of_any_size_miss_nothing_over_stretches_of_any_length(self, store, monkeypatch, stretch):
        monkeypatch.setattr(feed_pages, "STRETCH", stretch)
        await store.end(FIRST, environment="live", flow_id="a")
        await store.end(SECOND, "aborted", environment="test", flow_id="a")
        await store.end(THIRD, "error", environment="live", flow_id="b")
        for wanted, expected in FILTERS:
            for limit in (1, 2, 100):
                assert [position for position, _, _ in await store.walk(wanted, limit)] == expected, wanted

    async def test_no_statement_reads_more_than_a_stretch_for_what_is_rare(self, store, monkeypatch):
        monkeypatch.setattr(feed_pages, "STRETCH", 2)
        await store.end(FIRST)
        await store.end(SECOND, "error")
        async with store.database.reader.connect() as connection:
            found = await connection.run_sync(feed_pages.read_stretch, 0, FeedFilter(states=("error",)), 100)
        assert (found.items, found.cursor, found.head) == ([], 2, 4)

    async def test_a_terminal_item_says_what_the_callback_said(self, store):
        await store.take(arrival(FIRST, 4, "completed", flow_id="flow", environment="live", last_step=STEP))
        await store.give_up()
        item = msgspec.to_builtins((await store.queries.feed(0, ENDS)).items[0])
        found = await rows(store.database, "SELECT body FROM callbacks ORDER BY ordinal DESC LIMIT 1")
        said = json.loads(found[0][0])["data"]
        step = said.pop("transition")
        del said["callbackId"], step["target"]
        assert {name: item[name] for name in said} == said
        assert {name: item[name] for name in step} == step
        assert (item["givenUp"], item["inferred"], item["contiguous"]) == ([1, 2, 3], ["session.created"], False)

    async def test_an_item_never_changes_though_a_late_event_confirms_its_step(self, store):
        await store.take(arrival(FIRST, 2, "completed"))
        await store.give_up()
        before = msgspec.json.encode(await store.queries.feed(0, ALL))
        await store.take(arrival(FIRST, 1, "created", flow_id="flow", environment="live"))
        assert await rows(store.database, "SELECT sequence FROM transitions ORDER BY ordinal") == [(1,), (2,)]
        assert msgspec.json.encode(await store.queries.feed(0, ALL)) == before

    async def test_no_event_behind_an_end_changes_what_is_said_of_it(self, store):
        await store.take(arrival(FIRST, 3, "completed"))
        await store.give_up()
        before = msgspec.json.encode(await store.queries.feed(0, ALL))
        facts = {"flow_id": "flow", "environment": "live", "last_step": STEP}
        await store.take(arrival(FIRST, 4, "error", **facts), arrival(FIRST, 2, "step", **facts))
        await store.take(arrival(FIRST, 1, "created", **facts))
        assert msgspec.json.encode(await store.queries.feed(0, ALL)) == before

    async def test_the_steps_of_one_session_are_read_by_their_ordinals(self, store):
        await store.end(FIRST)
        assert [each.ordinal for each in await store.queries.session_feed(FIRST)] == [1, 2]
        assert [each.ordinal for each in await store.queries.session_feed(FIRST, 1)] == [2]
        assert await store.queries.session_feed(FIRST, 2) == []
        assert await store.queries.session_feed(FIRST, int("9" * 9)) == []
        assert await store.queries.session_feed(SECOND) is None


class TestConsumers:
    async def test_one_is_made_and_moved_back_and_forth(self, store):
        await store.end(FIRST)
        assert await store.place("crm", 2)
        assert not await store.place("crm", 0)
        assert await store.queries.consumer_position("crm") == (0, True)
        assert not await store.place("crm", None, terminal=False)
        assert await store.queries.consumer_position("crm") == (2, False)

    async def test_its_lag_is_in_items_of_its_kind_and_in_seconds(self, store, clock):
        await store.end(FIRST)
        await store.end(SECOND)
        await store.place("ends", 0)
        await store.place("steps", 1, terminal=False)
        await store.place("done", None)
        clock.advance(10)
        found = await store.queries.consumers()
        assert [(each.name, each.lag, each.seconds_behind) for each in found.items] == [
            ("done", 0, 0.0),
            ("ends", 2, 11.0),
            ("steps", 3, 11.0),
        ]
        assert found.head == "4"
        assert (await store.queries.consumer("ends")).lag == 2

    async def test_wherever_it_is_its_lag_is_what_it_would_read(self, store):
        await store.take(arrival(FIRST, 1, "created"))
        await store.take(*(arrival(SECOND, number, name) for number, name in ((1, "created"), (2, "completed"))))
        await store.take(arrival(FIRST, 2, "error"), arrival(THIRD, 1, "created"))
        for position in range(6):
            await store.place("ends", position)
            await store.place("steps", position, terminal=False)
            for name, wanted in (("ends", ENDS), ("steps", ALL)):
                read = (await store.queries.feed(position, wanted)).items
                assert (await store.queries.consumer(name)).lag == len(read), (name, position)

    async def test_two_workers_of_one_name_do_not_undo_one_anothers_moves(self, store):
        await store.end(FIRST)
        await store.place("crm", 1)
        await store.place("crm", 2, expected=1)
        with pytest.raises(PositionMoved):
            await store.place("crm", 1, expected=1)
        assert await store.queries.consumer_position("crm") == (2, True)

    async def test_one_that_does_not_exist_is_expected_nowhere(self, store):
        with pytest.raises(NotFound):
            await store.place("crm", 0, expected=0)
        for question in (store.queries.consumer("crm"), store.queries.consumer_position("crm")):
            with pytest.raises(NotFound):
                await question

    async def test_none_is_placed_beyond_the_head(self, store):
        with pytest.raises(QueryRefused, match="beyond the head"):
            await store.place("crm", 1)

    async def test_there_are_so_many_and_no_more(self, store, monkeypatch):
        monkeypatch.setattr(consumers, "MAX_CONSUMERS", 1)
        await store.place("crm", 0)
        with pytest.raises(TooManyConsumers):
            await store.place("mail", 0)
        await store.run(lambda sync, _: consumers.remove(sync, "crm"))
        assert await store.place("mail", 0)
        with pytest.raises(NotFound):
            await store.run(lambda sync, _: consumers.remove(sync, "crm"))


async def test_a_step_was_taken_when_the_sessions_history_says_so(store):
    await store.end(FIRST)
    items = (await store.queries.feed(0, ALL)).items
    history = (await store.queries.history(FIRST)).transitions
    assert [each.at for each in items] == [each.at for each in history]
