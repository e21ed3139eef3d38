"""The feed as it is read, on both engines: pages that miss nothing and never change."""

import json

import msgspec
import pytest

from databases import rows
from feeds import ALL, ENDS, FIRST, SECOND, THIRD, short, walk
from statekeeper.core.errors import QueryRefused
from statekeeper.core.events import LastStep
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.store import feed_pages
from statekeeper.store.feed_pages import FeedFilter
from stores import Store, arrival

STEP = LastStep("END-ACCEPT", "END", "COMPLETED")
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


@pytest.fixture
def store(database, clock):
    return Store(database, clock, Subscriber("steps", scope=Scope.ALL))


async def test_ends_are_shown_unless_all_is_asked_for(store):
    await store.end(FIRST)
    await store.take(arrival(1, "created", SECOND))
    assert short(await store.queries.feed.page(0, ENDS)) == [(2, 1, "completed")]
    assert len((await store.queries.feed.page(0, ALL)).items) == 3


async def test_the_cursor_goes_past_what_is_not_wanted(store):
    await store.end(FIRST)
    await store.take(arrival(1, "created", SECOND))
    page = await store.queries.feed.page(0, ENDS)
    assert page.next_cursor == "3"
    again = await store.queries.feed.page(3, ENDS)
    assert (again.items, again.next_cursor) == ([], "3")


async def test_a_full_page_goes_on_behind_its_last_item(store):
    for session in (FIRST, SECOND, THIRD):
        await store.end(session)
    page = await store.queries.feed.page(0, ENDS, 2)
    assert (short(page), page.next_cursor) == ([(2, 1, "completed"), (4, 2, "completed")], "4")
    assert short(await store.queries.feed.page(4, ENDS, 2)) == [(6, 3, "completed")]


async def test_nothing_is_read_beyond_the_head_that_was_read_first(store, monkeypatch):
    await store.end(FIRST)
    monkeypatch.setattr(feed_pages, "head_of", lambda _connection: 1)
    assert short(await store.queries.feed.page(0, ALL)) == [(1, 1, "created")]


async def test_a_position_that_was_never_given_is_refused(store):
    await store.end(FIRST)
    with pytest.raises(QueryRefused, match="beyond the head"):
        await store.queries.feed.page(3, ENDS)


@pytest.mark.parametrize("stretch", [1, 3, 10_000])
async def test_filters_find_what_is_rare_a_stretch_at_a_time(store, monkeypatch, stretch):
    monkeypatch.setattr(feed_pages, "STRETCH", stretch)
    await store.end(FIRST, environment="live", flow_id="a")
    await store.end(SECOND, "expired", environment="test", flow_id="b")
    await store.end(THIRD, "expired", environment="live", flow_id="b")

    async def found(**wanted):
        page = await store.queries.feed.page(0, FeedFilter(**wanted), 2)
        assert int(page.next_cursor) <= 6
        return [each.session_id for each in page.items]

    assert await found(environment="test") == [SECOND]
    assert await found(flow_id="a") == [FIRST]
    assert THIRD in await found(states=("expired",)) or stretch < 6
    assert await found(environment="gone") == []


@pytest.mark.parametrize("stretch", [1, 2, 3, feed_pages.STRETCH])
async def test_pages_of_any_size_miss_nothing_over_stretches_of_any_length(store, monkeypatch, stretch):
    monkeypatch.setattr(feed_pages, "STRETCH", stretch)
    await store.end(FIRST, environment="live", flow_id="a")
    await store.end(SECOND, "aborted", environment="test", flow_id="a")
    await store.end(THIRD, "error", environment="live", flow_id="b")
    for wanted, expected in FILTERS:
        for limit in (1, 2, 100):
            assert [position for position, _, _ in await walk(store, wanted, limit)] == expected, wanted


async def test_no_statement_reads_more_than_a_stretch_for_what_is_rare(store, monkeypatch):
    monkeypatch.setattr(feed_pages, "STRETCH", 2)
    await store.end(FIRST)
    await store.end(SECOND, "error")
    async with store.database.reader.connect() as connection:
        found = await connection.run_sync(feed_pages.read_stretch, 0, FeedFilter(states=("error",)), 100)
    assert (found.items, found.cursor, found.head) == ([], 2, 4)


async def test_a_terminal_item_says_what_the_callback_said(store):
    await store.take(arrival(4, "completed", FIRST, flow_id="flow", environment="live", last_step=STEP))
    await store.give_up()
    item = msgspec.to_builtins((await store.queries.feed.page(0, ENDS)).items[0])
    found = await rows(store.database, "SELECT body FROM callbacks ORDER BY ordinal DESC LIMIT 1")
    said = json.loads(found[0][0])["data"]
    step = said.pop("transition")
    del said["callbackId"], step["target"]
    assert {name: item[name] for name in said} == said
    assert {name: item[name] for name in step} == step
    assert (item["givenUp"], item["inferred"], item["contiguous"]) == ([1, 2, 3], ["session.created"], False)


async def test_an_item_never_changes_though_a_late_event_confirms_its_step(store):
    await store.take(arrival(2, "completed", FIRST))
    await store.give_up()
    before = msgspec.json.encode(await store.queries.feed.page(0, ALL))
    await store.take(arrival(1, "created", FIRST, flow_id="flow", environment="live"))
    assert await rows(store.database, "SELECT sequence FROM transitions ORDER BY ordinal") == [(1,), (2,)]
    assert msgspec.json.encode(await store.queries.feed.page(0, ALL)) == before


async def test_no_event_behind_an_end_changes_what_is_said_of_it(store):
    await store.take(arrival(3, "completed", FIRST))
    await store.give_up()
    before = msgspec.json.encode(await store.queries.feed.page(0, ALL))
    facts = {"flow_id": "flow", "environment": "live", "last_step": STEP}
    await store.take(arrival(4, "error", FIRST, **facts), arrival(2, "step", FIRST, **facts))
    await store.take(arrival(1, "created", FIRST, **facts))
    assert msgspec.json.encode(await store.queries.feed.page(0, ALL)) == before


async def test_the_steps_of_one_session_are_read_by_their_ordinals(store):
    await store.end(FIRST)
    assert [each.ordinal for each in await store.queries.feed.of_session(FIRST)] == [1, 2]
    assert [each.ordinal for each in await store.queries.feed.of_session(FIRST, 1)] == [2]
    assert await store.queries.feed.of_session(FIRST, 2) == []
    assert await store.queries.feed.of_session(FIRST, int("9" * 9)) == []
    assert await store.queries.feed.of_session(SECOND) is None


async def test_a_step_was_taken_when_the_sessions_history_says_so(store):
    await store.end(FIRST)
    items = (await store.queries.feed.page(0, ALL)).items
    history = (await store.queries.histories.find(FIRST)).transitions
    assert [each.at for each in items] == [each.at for each in history]
