"""Sessions as support looks for them, on both engines: every filter agrees with one in Python, and no walk repeats."""

import random
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from sqlalchemy import text

from statekeeper.core.errors import QueryRefused
from statekeeper.store import narrowing
from statekeeper.store.queries.listing import Choices, ListingFilter, SessionLine
from stores import arrival, number

FLOWS, ENVIRONMENTS = ("a", "b", None), ("live", "test", None)
NAMES = ("completed", "error", "expired")


async def tell(store, count=60, seed=3):
    """Sessions of every kind: some with a gap that is open or given up on, contradicted, or with a dead callback."""
    chance = random.Random(seed)
    for _ in range(count):
        session = UUID(int=chance.getrandbits(128), version=4)
        origin = {"flow_id": chance.choice(FLOWS), "environment": chance.choice(ENVIRONMENTS)}
        name = chance.choice(NAMES)
        story = [arrival(1, "created", session, **origin), arrival(2, name, session, **origin)]
        story = chance.choice([story, story[:1], story[1:], story])
        if chance.random() < 0.3:
            story.append(arrival(story[0].event.sequence, "aborted", session, **origin))
        if chance.random() < 0.5:
            store.clock.advance(chance.choice([0.001, 1]))
        await store.take(*story)
    dead = "UPDATE callbacks SET status = 'dead', due_at = NULL WHERE subscriber = 'mail'"
    await store.run(lambda c, _: c.execute(text(dead)))


async def walk(store, wanted, limit=7) -> list[SessionLine]:
    lines, cursor = [], None
    while True:
        page = await store.queries.listing.page(wanted, limit, cursor)
        assert len(page.items) == limit or page.next_cursor is None
        lines += page.items
        if (cursor := page.next_cursor) is None:
            return lines


async def found(store, part: str, **beside) -> set[UUID]:
    return {line.session_id for line in await walk(store, ListingFilter(part=part, **beside))}


def fits(line: SessionLine, wanted: ListingFilter) -> bool:
    return (
        (not wanted.states or line.state in wanted.states)
        and wanted.environment in {None, line.environment}
        and wanted.flow_id in {None, line.flow_id}
        and (wanted.since is None or line.first_seen_at >= wanted.since)
        and (wanted.until is None or line.first_seen_at < wanted.until)
        and (not wanted.gap or line.gap)
        and (not wanted.held or line.held != [])
        and (not wanted.dead or line.dead > 0)
        and (not wanted.contradicted or line.contradicted)
    )


@pytest.fixture(params=["few", "many"])
def rarity(request, monkeypatch):
    """Both ways of reading, whatever the size of the store: what is rare is gone through, or never taken for rare."""
    if request.param == "many":
        for name in ("FEW", "FEW_DEAD", "FEW_IDS"):
            monkeypatch.setattr(narrowing, name, 0)


@pytest.mark.usefixtures("rarity")
async def test_every_combination_of_filters_agrees_with_a_filter_in_python(store, clock):
    since = clock.now + timedelta(seconds=10)
    await tell(store)
    everything = await walk(store, ListingFilter())
    assert len(everything) == 60
    assert everything == sorted(everything, key=lambda line: (line.first_seen_at, line.session_id), reverse=True)
    states = ((), ("error",), ("completed", "created"), ("pending",), ("unheard of",))
    kinds = product(states, (None, "live"), (None, "a", "unheard of"), ({}, {"since": since}, {"until": since}))
    marks = list(product((False, True), repeat=4))
    chance = random.Random(5)
    for state, environment, flow_id, times in kinds:
        held, gap, dead, contradicted = chance.choice(marks)
        for more in ({}, {"held": held, "gap": gap, "dead": dead, "contradicted": contradicted}):
            wanted = ListingFilter(states=state, environment=environment, flow_id=flow_id, **times, **more)
            assert await walk(store, wanted) == [line for line in everything if fits(line, wanted)]
    for held, gap, dead, contradicted in marks:
        wanted = ListingFilter(held=held, gap=gap, dead=dead, contradicted=contradicted)
        assert await walk(store, wanted) == [line for line in everything if fits(line, wanted)]


async def test_a_time_is_inclusive_where_it_begins_and_exclusive_where_it_ends(store, clock):
    for index in range(3):
        await store.end(number(index))
    at = clock.now - timedelta(seconds=1)
    seen = [[line.session_id.int for line in await walk(store, of)] for of in _around(at)]
    assert seen == [[2, 1], [0], []]


def _around(at):
    return ListingFilter(since=at), ListingFilter(until=at), ListingFilter(since=at, until=at)


@pytest.mark.usefixtures("rarity")
async def test_every_id_that_begins_so_is_found_up_to_the_last_digit_that_there_is(store):
    ids = [UUID(hex=part.ljust(32, last)) for part, last in product(("abcdabcc", "abcdabcd", "abcdabce"), "0f")]
    await store.take(*(arrival(1, "created", each) for each in ids))
    assert await found(store, "abcdabcd") == set(ids[2:4])


@pytest.mark.usefixtures("rarity")
async def test_a_part_is_found_where_dashes_would_stand_in_it(store):
    one = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
    await store.take(arrival(1, "created", one), arrival(1, "created", number(7)))
    for part in ("c2bc", "41c2bc45", "c454142b", "142b516f", "e1941c2bc454142b516fa0fc9fd7754"):
        assert await found(store, part) == {one}


@pytest.mark.usefixtures("rarity")
async def test_the_last_four_digits_find_a_session_though_other_ids_begin_with_these_digits(store):
    begins, ends, neither = (UUID(hex=each) for each in ("7754".ljust(32, "0"), "7754".rjust(32, "0"), "1" * 32))
    await store.take(*(arrival(1, "created", each) for each in (begins, ends, neither)))
    assert await found(store, "7754") == {begins, ends}


@pytest.mark.usefixtures("rarity")
async def test_a_filter_beside_a_short_part_does_not_hide_an_id_that_contains_it_behind_one_that_begins_so(store):
    begins, ends = UUID(hex="abcdef7".ljust(32, "0")), UUID(hex="abcdef7".rjust(32, "0"))
    await store.end(begins, environment="test")
    await store.end(ends, "error", environment="live")
    for beside in ({"environment": "live"}, {"states": ("error",)}, {"since": store.clock.now}):
        assert await found(store, "abcdef7", **beside) == {ends}


@pytest.mark.usefixtures("rarity")
async def test_eight_digits_that_an_id_begins_with_are_a_beginning_and_others_are_looked_for_anywhere(store):
    begins, contains = UUID(hex="abcdef75".ljust(32, "0")), UUID(hex="abcdef751".rjust(32, "0"))
    await store.take(arrival(1, "created", contains))
    assert await found(store, "abcdef75") == {contains}
    await store.take(arrival(1, "created", begins))
    assert await found(store, "abcdef75") == {begins}
    assert await found(store, "abcdef751") == {contains}
    pages = [await store.queries.listing.page(ListingFilter(part=part)) for part in ("abcdef75", "abcdef751", "abcd")]
    assert [page.begins for page in pages] == [True, False, False]


@pytest.mark.usefixtures("rarity")
async def test_whoever_pages_through_a_long_part_goes_on_with_it_as_they_began_whatever_comes_in(store):
    contain = [UUID(hex=f"{index:x}abcdef75".ljust(32, "0")) for index in range(1, 5)]
    for each in contain:
        await store.end(each)
    wanted = ListingFilter(part="abcdef75")
    first = await store.queries.listing.page(wanted, 2)
    await store.end(UUID(hex="abcdef75".ljust(32, "0")))
    second = await store.queries.listing.page(wanted, 2, first.next_cursor)
    assert [line.session_id for line in (*first.items, *second.items)] == contain[::-1]


@pytest.mark.usefixtures("rarity")
async def test_whoever_pages_through_a_beginning_meets_nothing_that_merely_contains_it(store):
    begin = [UUID(hex=f"abcdef75{index}".ljust(32, "0")) for index in range(4)]
    for each in (UUID(hex="abcdef75".rjust(32, "0")), *begin):
        await store.end(each)
    assert [line.session_id for line in await walk(store, ListingFilter(part="abcdef75"), 2)] == begin[::-1]


@pytest.mark.usefixtures("rarity")
async def test_a_part_agrees_with_a_search_in_python_alone_and_beside_other_filters(store):
    await tell(store, 30)
    everything = await walk(store, ListingFilter())
    for line in everything[::5]:
        for part in (*(line.session_id.hex[:length] for length in (4, 13, 32)), line.session_id.hex[-6:]):
            expected = [each for each in everything if part in each.session_id.hex]
            assert await walk(store, ListingFilter(part=part), 1) == expected
            for beside in ({"environment": "live"}, {"states": ("error",)}, {"gap": True}, {"dead": True}):
                wanted = ListingFilter(part=part, **beside)
                assert await walk(store, wanted, 1) == [each for each in expected if fits(each, wanted)]
    assert await walk(store, ListingFilter(part="0123456789abcdef")) == []


async def test_a_line_tells_what_waits_and_what_is_wrong(store, clock):
    seen = clock.now
    await store.take(arrival(2, "completed", number(1), flow_id="a", environment="live"))
    (line,) = await walk(store, ListingFilter())
    ends = {"held": [2], "missing": [1], "gap": True, "contradicted": False, "dead": 0}
    assert line == SessionLine(number(1), "pending", "live", "a", seen, seen, None, **ends)
    await store.give_up()
    await store.take(arrival(2, "error", number(1)))
    (line,) = await walk(store, ListingFilter())
    closed = seen + timedelta(seconds=30)
    ends = {"held": [], "missing": [], "gap": True, "contradicted": True, "dead": 0}
    assert line == SessionLine(number(1), "completed", "live", "a", seen, closed, closed, **ends)


async def test_who_was_contradicted_once_remains_so_whatever_comes_later(store):
    await store.take(arrival(1, "created", number(1)))
    await store.take(arrival(1, "error", number(1)))
    await store.take(arrival(2, "completed", number(1)))
    (line,) = await walk(store, ListingFilter(contradicted=True))
    assert (line.state, line.contradicted) == ("completed", True)


async def test_no_row_moves_while_somebody_pages_whatever_comes_in(store, clock):
    for index in range(6):
        clock.advance(1)
        await store.take(arrival(1, "created", number(index)))
    first = await store.queries.listing.page(ListingFilter(), 3)
    clock.advance(1)
    await store.take(
        arrival(2, "completed", number(1)), arrival(2, "completed", number(4)), arrival(1, "created", number(9))
    )
    second = await store.queries.listing.page(ListingFilter(), 3, first.next_cursor)
    assert [line.session_id.int for line in (*first.items, *second.items)] == [5, 4, 3, 2, 1, 0]
    assert second.next_cursor is None


async def test_the_choices_are_the_origins_that_there_are(store):
    assert await store.queries.listing.choices() == Choices([], [])
    for index, (flow, environment) in enumerate(product(FLOWS, ENVIRONMENTS)):
        await store.end(number(index), flow_id=flow, environment=environment)
    assert await store.queries.listing.choices() == Choices(["live", "test"], ["a", "b"])


async def test_the_choices_have_what_one_environment_alone_has_and_two_hundred_flows_at_most(store):
    for index, (flow, environment) in enumerate((("1", None), ("2", "live"), ("3", "stage"), ("4", "test"))):
        await store.end(number(index), flow_id=flow, environment=environment)
    assert await store.queries.listing.choices() == Choices(["live", "stage", "test"], ["1", "2", "3", "4"])
    crowd = [(index, "live" if index % 2 else "test") for index in range(100, 320)]
    many = (arrival(1, "created", number(i), flow_id=f"f{i}", environment=where) for i, where in crowd)
    await store.take(*many)
    assert (await store.queries.listing.choices()).flows == ["1", "2", "3", "4", *(f"f{i}" for i in range(100, 296))]


async def test_a_flow_of_more_environments_than_can_be_walked_apart_is_walked_by_time(store):
    for index in range(narrowing.MOST_BRANCHES + 2):
        await store.end(number(index), flow_id="a", environment=f"e{index:02}")
    await store.end(number(99), flow_id="b", environment="e00")
    assert len(await walk(store, ListingFilter(flow_id="a"))) == narrowing.MOST_BRANCHES + 2


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (201, None), (10, "x")])
async def test_a_limit_or_a_cursor_that_is_none_is_refused(store, limit, cursor):
    with pytest.raises(QueryRefused):
        await store.queries.listing.page(ListingFilter(), limit, cursor)
