"""The read side, on both engines: every document from rows that the write side wrote, and walks through many."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_

import databases
from databases import Clock
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import Fault, QueryRefused, Unavailable
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.health import Health, State
from statekeeper.core.instants import parse_rfc3339
from statekeeper.core.retry import Attempt, Delivered, Outcome, RetryAt
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import health, outbox, projections
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.pages import read_cursor, write_cursor
from statekeeper.store.queries import CallbackFilter, Gauges, Queries, SessionFilter
from statekeeper.store.refusals import Refusal, keep_refusal

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
TICK = timedelta(milliseconds=1)
CHART = {"id": "idnow-session", "version": default_chart().version}


class Store:
    """A store to write to and to ask."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.queries = Queries(database.reader, clock=clock)
        self.journal = Journal(
            Charts(default_chart()), (Subscriber("crm"), Subscriber("mail", frozenset({"error"}))), jitter=lambda: 0.0
        )

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def take(self, *arrivals: Arrival):
        await self.run(self.journal.charts.register)
        return await self.run(lambda c, now: databases.write(self.journal, c, arrivals, now))

    async def end(self, session: UUID, name: str = "completed", **members) -> None:
        """A whole story, a second after the last."""
        self.clock.advance(1)
        await self.take(arrival(1, "created", session, **members), arrival(2, name, session, **members))

    async def settle(self, subscriber: str, attempt: Attempt, verdict) -> None:
        lease = timedelta(seconds=50)
        (claim,) = await self.run(lambda c, now: outbox.claim(c, subscriber, 1, now, lease))
        await self.run(lambda c, now: outbox.settle(c, claim, attempt, verdict, now))


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, clock)


def arrival(sequence: int, name: str, session: UUID = SESSION, **members) -> Arrival:
    event = SessionEvent(f"e{sequence}-{name}", f"session.{name}", sequence, session, **members)
    return Arrival(event, f"token-{sequence}", KEY)


def number(index: int) -> UUID:
    return UUID(int=index)


async def walk(queries: Queries, wanted: SessionFilter, limit: int) -> list[list[UUID]]:
    pages, cursor = [], None
    while True:
        page = await queries.search(wanted, limit, cursor)
        pages.append([item.session_id for item in page.items])
        if (cursor := page.next_cursor) is None:
            return pages


async def test_an_unknown_session_has_neither_document_nor_history(store):
    assert await store.queries.session(SESSION) is None
    assert await store.queries.history(SESSION) is None


async def test_a_session_that_waits_shows_what_it_holds_and_what_it_misses(store):
    await store.take(arrival(3, "completed", flow_id="flow", environment="live"), arrival(6, "error"))
    view = await store.queries.session(SESSION)
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
    view = await store.queries.session(SESSION)
    assert (view.state, view.terminal, view.cursor, view.held, view.missing) == ("completed", True, 2, [], [])
    assert msgspec.to_builtins(view.last_step) == {"id": "END-ACCEPT", "type": None, "status": "COMPLETED"}
    assert view.ended_at == view.updated_at == "2026-01-08T08:35:38.581Z"
    assert view.first_seen_at == "2026-01-08T08:35:37.581Z"


async def test_a_history_has_every_transition_every_arrival_and_every_callback(store, clock):
    sent = clock.now - timedelta(seconds=5)
    await store.take(arrival(1, "created", deliver_id="1", sent_at=sent, session_status="RUNNING"))
    clock.advance(1)
    await store.take(arrival(1, "created", deliver_id="2"), arrival(1, "created", deliver_id="2"))
    clock.advance(1)
    await store.take(arrival(1, "created", session_status="RUNNING", deliver_id="3"), arrival(2, "error"))
    history = msgspec.to_builtins(await store.queries.history(SESSION))
    assert history["sessionId"] == str(SESSION)
    assert [step | {"at": ""} for step in history["transitions"]] == [
        {
            "ordinal": ordinal,
            "source": source,
            "target": target,
            "trigger": f"session.{target}",
            "cause": "event",
            "eventId": f"e{ordinal}-{target}",
            "sequence": ordinal,
            "at": "",
            "reason": None,
        }
        for ordinal, source, target in ((1, "pending", "created"), (2, "created", "error"))
    ]
    first_at, last_at = (parse_rfc3339(step["at"]) for step in history["transitions"])
    assert last_at == clock.now
    assert timedelta(0) <= first_at - (clock.now - timedelta(seconds=2)) <= TICK
    first, conflict, last = history["events"]
    assert first == {
        "eventId": "e1-created",
        "eventName": "session.created",
        "sequence": 1,
        "disposition": "applied",
        "sessionStatus": "RUNNING",
        "sentAt": "2026-01-08T08:35:32.581Z",
        "receivedAt": "2026-01-08T08:35:37.581Z",
        "deliveries": [
            {"deliverId": "1", "receivedAt": "2026-01-08T08:35:37.581Z"},
            {"deliverId": "3", "receivedAt": "2026-01-08T08:35:39.581Z"},
        ],
    }
    assert conflict["disposition"] == "conflict"
    assert [delivery["deliverId"] for delivery in conflict["deliveries"]] == ["2", "2"]
    assert (last["eventId"], last["sentAt"], last["disposition"]) == ("e2-error", None, "applied")
    assert [callback["subscriber"] for callback in history["callbacks"]] == ["crm", "mail"]


async def test_a_callback_shows_its_attempts_and_when_the_next_is_due(store, clock):
    await store.end(SESSION, "error")
    failed = Attempt(Outcome.FAILED, clock.now, 12, "500", response="go away")
    await store.settle("crm", failed, RetryAt(clock.now + timedelta(seconds=5)))
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7, receipt="case 4711"), Delivered())
    crm, mail = msgspec.to_builtins(await store.queries.history(SESSION))["callbacks"]
    assert crm == {
        "callbackId": crm["callbackId"],
        "subscriber": "crm",
        "state": "error",
        "status": "pending",
        "receipt": None,
        "attempts": [
            {
                "number": 1,
                "at": "2026-01-08T08:35:38.581Z",
                "durationMs": 12,
                "outcome": "failed",
                "detail": "500",
                "response": "go away",
            }
        ],
        "nextAttemptAt": "2026-01-08T08:35:43.581Z",
    }
    assert (mail["status"], mail["nextAttemptAt"]) == ("delivered", None)
    assert mail["attempts"][0]["outcome"] == "delivered"
    assert (mail["receipt"], mail["attempts"][0]["response"]) == ("case 4711", None)


async def test_an_attempt_in_flight_is_not_shown(store):
    await store.end(SESSION)
    await store.run(lambda c, now: outbox.claim(c, "crm", 1, now, timedelta(seconds=50)))
    (callback,) = (await store.queries.history(SESSION)).callbacks
    assert (callback.status, callback.attempts) == ("pending", [])


async def test_a_walk_shows_every_session_once_the_newest_change_first(store):
    for index in range(7):
        await store.end(number(index))
    newest_first = [number(index) for index in reversed(range(7))]
    assert await walk(store.queries, SessionFilter(), 3) == [newest_first[:3], newest_first[3:6], newest_first[6:]]
    assert await walk(store.queries, SessionFilter(), 7) == [newest_first]


async def test_sessions_of_one_moment_are_told_apart_by_their_ids(store):
    await store.take(*(arrival(1, "created", number(index)) for index in range(5)))
    pages = await walk(store.queries, SessionFilter(), 2)
    assert [session for page in pages for session in page] == [number(index) for index in reversed(range(5))]


async def test_a_session_that_changes_during_a_walk_moves_to_the_front_and_comes_no_second_time(store, clock):
    for index in range(4):
        clock.advance(0.001)
        await store.take(arrival(1, "created", number(index)))
    first = await store.queries.search(SessionFilter(), 2)
    assert [item.session_id for item in first.items] == [number(3), number(2)]
    clock.advance(1)
    await store.take(arrival(2, "completed", number(2)), arrival(2, "completed", number(1)))
    second = await store.queries.search(SessionFilter(), 2, first.next_cursor)
    assert [item.session_id for item in second.items] == [number(0)]
    assert second.next_cursor is None
    again = await store.queries.search(SessionFilter(), 2)
    assert {item.session_id for item in again.items} == {number(1), number(2)}


async def test_filters_narrow_the_list(store):
    await store.end(number(1), "completed", flow_id="a", environment="live")
    middle = parse_rfc3339((await store.queries.session(number(1))).updated_at)
    await store.end(number(2), "error", flow_id="b", environment="live")
    await store.end(number(3), "aborted", flow_id="b", environment="staging")
    await store.take(arrival(1, "created", number(4), flow_id="a", environment="staging"))

    async def found(**wanted) -> set[int]:
        page = await store.queries.search(SessionFilter(**wanted))
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
    pages = await walk(store.queries, SessionFilter(states=("error", "aborted")), 3)
    assert pages == [[number(4), number(3), number(1)], [number(0)]]


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_limit_beyond_its_bounds_is_refused(store, limit):
    with pytest.raises(QueryRefused, match="limit"):
        await store.queries.search(SessionFilter(), limit)


FUTURE = "f" * 32
"""A cursor of the right shape whose time is none."""


@pytest.mark.parametrize("cursor", ["", "x", "ä" * 32, "A" * 31, "A" * 33, "=" * 32, "A" * 31 + "+", FUTURE])
async def test_a_cursor_that_was_never_given_out_is_refused(store, cursor):
    with pytest.raises(QueryRefused, match="cursor"):
        await store.queries.search(SessionFilter(), 10, cursor)


def test_a_cursor_names_its_place_to_the_microsecond():
    place = (Clock().now + timedelta(microseconds=7), SESSION)
    assert read_cursor(write_cursor(place)) == place


async def test_callbacks_are_listed_with_their_session_and_attempts(store, clock):
    for index in range(3):
        await store.end(number(index), "error")
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7), Delivered())
    first = await store.queries.callbacks(CallbackFilter(), 4)
    rest = await store.queries.callbacks(CallbackFilter(), 4, first.next_cursor)
    items = [*first.items, *rest.items]
    assert len({item.callback_id for item in items}) == 6
    assert rest.next_cursor is None
    assert [item.session_id.int for item in items] == [2, 2, 1, 1, 0, 0]
    (delivered,) = (await store.queries.callbacks(CallbackFilter(statuses=("delivered",)))).items
    assert (delivered.subscriber, delivered.session_id, len(delivered.attempts)) == ("mail", number(0), 1)
    crm = (await store.queries.callbacks(CallbackFilter(statuses=("pending", "dead"), subscriber="crm"))).items
    assert [item.session_id.int for item in crm] == [2, 1, 0]
    assert (await store.queries.callbacks(CallbackFilter(subscriber="nobody"))).items == []


async def test_refusals_are_shown_the_newest_first_with_their_proof(store):
    for token in ("first", "second"):
        refusal = Refusal((Fault("data.eventId", "is wrong"),), token, KEY)
        await store.run(lambda c, now, refusal=refusal: keep_refusal(c, refusal, now))
    second, first = await store.queries.refusals()
    assert (second.token, first.token, second.at) == ("second", "first", "2026-01-08T08:35:37.581Z")
    assert msgspec.to_builtins(second.errors) == [{"field": "data.eventId", "detail": "is wrong"}]
    assert len(await store.queries.refusals(1)) == 1


async def test_gauges_of_an_empty_store_are_nought(store):
    assert await store.queries.gauges() == Gauges(0, 0.0, 0.0)


async def test_gauges_tell_what_waits_and_for_how_long(store, clock):
    await store.take(arrival(2, "completed", number(1)))
    await store.end(number(2), "error")
    await store.run(lambda c, _: c.execute(text("UPDATE callbacks SET status='dead' WHERE subscriber='mail'")))
    clock.advance(9.999)
    gauges = await store.queries.gauges()
    assert gauges == Gauges(1, 10.999, 9.999, {"crm": 1}, {"mail": 1})
    assert (gauges.unloaded({"crm"}), gauges.unloaded(())) == (0, 1)


async def test_gauges_tell_the_state_of_every_endpoint_that_ever_failed(store):
    await store.run(lambda c, now: health.disable(c, "crm", "HTTP 410", now))
    await store.run(lambda c, now: health.save(c, "mail", Health(failures=1, failing_since=now), now))
    assert (await store.queries.gauges()).circuits == {"crm": State.DISABLED, "mail": State.CLOSED}


async def test_what_is_not_due_yet_is_not_overdue(store, clock):
    await store.end(SESSION)
    await store.settle("crm", Attempt(Outcome.FAILED, clock.now, 1), RetryAt(clock.now + timedelta(hours=1)))
    assert (await store.queries.gauges()).oldest_due == 0.0


async def test_a_store_that_answers_is_told_by_a_ping(store):
    await store.queries.ping()


async def test_a_history_is_one_moment_even_while_the_session_ends(store, monkeypatch):
    """Another node commits the end when the events have been read, and the callbacks have not."""
    await store.take(arrival(1, "created"))
    view = projections.transition_view

    def commit_meanwhile(row):
        await_(store.end(SESSION))
        return view(row)

    monkeypatch.setattr(projections, "transition_view", commit_meanwhile)
    before = await store.queries.history(SESSION)
    monkeypatch.undo()
    after = await store.queries.history(SESSION)
    assert (len(before.transitions), len(before.events), len(before.callbacks)) == (1, 1, 0)
    assert (len(after.transitions), len(after.events), len(after.callbacks)) == (2, 2, 1)


async def test_a_store_that_cannot_answer_is_unavailable(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    queries = Queries(database.reader)
    for asked in (queries.session(SESSION), queries.history(SESSION), queries.ping(), queries.gauges()):
        with pytest.raises(Unavailable):
            await asked
    await database.close()


async def test_a_fault_of_ours_is_not_taken_for_the_stores(store):
    with pytest.raises((DBAPIError, OverflowError)):
        await store.queries.refusals(-(2**70))
