"""Sessions by their key, and walks through many of them, on both engines."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from statekeeper.core.errors import QueryRefused
from statekeeper.core.events import LastStep
from statekeeper.core.instants import parse_rfc3339
from statekeeper.resources import default_chart
from statekeeper.store import narrowing
from statekeeper.store.queries import sessions
from statekeeper.store.queries.sessions import SessionFilter, Sessions
from stores import SESSION, arrival, number

TICK = timedelta(milliseconds=1)
CHART = {"id": "idnow-session", "version": default_chart().version}
FUTURE = "f" * 32
"""A cursor of the right shape whose time is none."""


async def walk(sessions: Sessions, wanted: SessionFilter, limit: int) -> list[list[UUID]]:
    pages, cursor = [], None
    while True:
        page = await sessions.search(wanted, limit, cursor)
        pages.append([item.session_id for item in page.items])
        if (cursor := page.next_cursor) is None:
            return pages


async def test_an_unknown_session_is_none(store):
    assert await store.queries.sessions.find(SESSION) is None


async def test_a_session_that_waits_shows_what_it_holds_and_what_it_misses(store):
    await store.take(arrival(3, "completed", flow_id="flow", environment="live"), arrival(6, "error"))
    view = await store.queries.sessions.find(SESSION)
    assert timedelta(0) <= parse_rfc3339(view.updated_at) - parse_rfc3339(view.first_seen_at) <= TICK
    assert msgspec.to_builtins(view) == {
        "sessionId": str(SESSION),
        "flowId": "flow",
        "environment": "live",
        "state": "pending",
        "terminal": False,
        "cursor": 0,
        "held": [3, 6],
        "missing": [1, 2, 4, 5],
        "contiguous": True,
        "chart": CHART,
        "lastStep": None,
        "firstSeenAt": "2026-01-08T08:35:37.581Z",
        "updatedAt": view.updated_at,
        "endedAt": None,
    }


async def test_a_session_that_has_ended_shows_its_end_and_its_last_step(store, clock):
    await store.take(arrival(1, "created"))
    clock.advance(1)
    await store.take(arrival(2, "completed", last_step=LastStep("END-ACCEPT", None, "COMPLETED")))
    view = await store.queries.sessions.find(SESSION)
    assert (view.state, view.terminal, view.cursor, view.held, view.missing) == ("completed", True, 2, [], [])
    assert msgspec.to_builtins(view.last_step) == {"id": "END-ACCEPT", "type": None, "status": "COMPLETED"}
    assert view.ended_at == view.updated_at == "2026-01-08T08:35:38.581Z"
    assert view.first_seen_at == "2026-01-08T08:35:37.581Z"


async def test_a_walk_shows_every_session_once_the_newest_change_first(store):
    for index in range(7):
        await store.end(number(index))
    newest_first = [number(index) for index in reversed(range(7))]
    assert await walk(store.queries.sessions, SessionFilter(), 3) == [
        newest_first[:3],
        newest_first[3:6],
        newest_first[6:],
    ]
    assert await walk(store.queries.sessions, SessionFilter(), 7) == [newest_first]


async def test_sessions_of_one_moment_are_told_apart_by_their_ids(store):
    await store.take(*(arrival(1, "created", number(index)) for index in range(5)))
    pages = await walk(store.queries.sessions, SessionFilter(), 2)
    assert [session for page in pages for session in page] == [number(index) for index in reversed(range(5))]


async def test_a_session_that_changes_during_a_walk_moves_to_the_front_and_comes_no_second_time(store, clock):
    for index in range(4):
        clock.advance(0.001)
        await store.take(arrival(1, "created", number(index)))
    first = await store.queries.sessions.search(SessionFilter(), 2)
    assert [item.session_id for item in first.items] == [number(3), number(2)]
    clock.advance(1)
    await store.take(arrival(2, "completed", number(2)), arrival(2, "completed", number(1)))
    second = await store.queries.sessions.search(SessionFilter(), 2, first.next_cursor)
    assert [item.session_id for item in second.items] == [number(0)]
    assert second.next_cursor is None
    again = await store.queries.sessions.search(SessionFilter(), 2)
    assert {item.session_id for item in again.items} == {number(1), number(2)}


async def test_filters_narrow_the_list(store):
    await store.end(number(1), "completed", flow_id="a", environment="live")
    middle = parse_rfc3339((await store.queries.sessions.find(number(1))).updated_at)
    await store.end(number(2), "error", flow_id="b", environment="live")
    await store.end(number(3), "aborted", flow_id="b", environment="staging")
    await store.take(arrival(1, "created", number(4), flow_id="a", environment="staging"))

    async def found(**wanted) -> set[int]:
        page = await store.queries.sessions.search(SessionFilter(**wanted))
        keys = [item.session_id.int for item in page.items]
        assert sorted(set(keys), reverse=True) == keys
        return set(keys)

    assert await found() == {1, 2, 3, 4}
    assert await found(states=("error",)) == {2}
    assert await found(states=("completed", "aborted", "completed")) == {1, 3}
    assert await found(states=("expired",)) == set()
    assert await found(terminal=True) == {1, 2, 3}
    assert await found(terminal=False) == {4}
    assert await found(environment="live") == {1, 2}
    assert await found(flow_id="b", environment="staging") == {3}
    assert await found(updated_after=middle) == {2, 3, 4}
    assert await found(updated_before=middle) == set()
    assert await found(updated_before=middle + timedelta(milliseconds=1)) == {1}
    assert await found(states=("error", "created"), terminal=True) == {2}


async def test_a_walk_through_several_states_is_one_walk(store):
    for index in range(6):
        await store.end(number(index), ("error", "aborted", "completed")[index % 3])
    pages = await walk(store.queries.sessions, SessionFilter(states=("error", "aborted")), 3)
    assert pages == [[number(4), number(3), number(1)], [number(0)]]


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_limit_beyond_its_bounds_is_refused(store, limit):
    with pytest.raises(QueryRefused, match="limit"):
        await store.queries.sessions.search(SessionFilter(), limit)


@pytest.mark.parametrize("cursor", ["", "x", "ä" * 32, "A" * 31, "A" * 33, "=" * 32, "A" * 31 + "+", FUTURE])
async def test_a_cursor_that_was_never_given_out_is_refused(store, cursor):
    with pytest.raises(QueryRefused, match="cursor"):
        await store.queries.sessions.search(SessionFilter(), 10, cursor)


@pytest.mark.parametrize("few", [2, 0])
async def test_an_environment_is_filtered_by_alike_whether_it_is_rare_or_not(store, monkeypatch, few):
    """What is rare is sorted, and what is not is walked by time of change: SQLite is told which."""
    monkeypatch.setattr(narrowing, "FEW", few)
    for index, (flow, environment) in enumerate([("a", "live"), ("b", "live"), ("a", "test"), ("a", "live")]):
        await store.end(number(index), "error" if index else "completed", flow_id=flow, environment=environment)

    async def found(**wanted):
        items = (await store.queries.sessions.search(SessionFilter(**wanted))).items
        return [int(UUID(str(item.session_id))) for item in items]

    assert await found(environment="live") == [3, 1, 0]
    assert await found(environment="test") == [2]
    assert await found(environment="live", states=("error",)) == [3, 1]
    assert await found(environment="live", flow_id="b") == [1]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (SessionFilter(), "ix_sessions_updated_at"),
        (SessionFilter(terminal=True, flow_id="b"), "ix_sessions_updated_at"),
        (SessionFilter(environment="live"), "ix_sessions_updated_at"),
        (SessionFilter(environment="live", states=("error",)), "ix_sessions_state"),
        (SessionFilter(environment="live", flow_id="b"), "ix_sessions_origin"),
        (SessionFilter(environment="test", states=("error",)), "ix_sessions_origin"),
    ],
)
async def test_an_origin_of_many_sessions_is_never_sorted_as_a_whole(store, monkeypatch, wanted, index):
    monkeypatch.setattr(narrowing, "FEW", 1)
    for each, (flow, environment) in enumerate([("a", "live"), ("b", "live"), ("a", "test"), ("a", "live")]):
        await store.end(number(each), flow_id=flow, environment=environment)
    assert await store.run(lambda c, _: sessions._index(c, wanted)) == index
