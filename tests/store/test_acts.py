"""The acts of support, on both engines: what is planned is what is done, and no act goes without its entry.

What an act did is read from the tables, and not from what it says of itself.
"""

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from databases import rows
from people import ANNA
from statekeeper.core.acts import CloseGap, Note, Resend, Retry, Seen
from statekeeper.core.arrivals import Arrival
from statekeeper.core.errors import (
    AlreadyDelivered,
    BodyRefused,
    CallbackMoved,
    GapMoved,
    NotDelivered,
    NotFound,
    NothingHeld,
)
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome
from statekeeper.core.subscribers import NOTICES, Scope, Subscriber
from statekeeper.store import acts, feed
from statekeeper.store.act_plans import effect
from statekeeper.store.charts import Charts
from statekeeper.store.queries.audit import AuditFilter
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.tables import CallbackRow, EventRow, SessionRow, TransitionRow, table
from stores import KEY, SESSION, Store, arrival
from tales import charts, tales

SUBSCRIBERS = (Subscriber("crm", notices=frozenset(NOTICES)), Subscriber("all", scope=Scope.ALL))


@pytest.fixture
def store(database, clock) -> Store:
    return Store(database, clock, *SUBSCRIBERS)


async def perform(store: Store, act):
    """As the writer does it."""

    def job(connection, now):
        entry = acts.perform(connection, store.journal, act, ANNA, now)
        feed.append(connection, entry.steps)
        return entry.acts[0]

    return await store.run(job)


async def plan(store: Store, act):
    async with store.database.reader.connect() as connection:
        return await connection.run_sync(lambda c: acts.plan(c, store.journal, act))


async def trail(store: Store):
    return (await store.queries.audit.page(AuditFilter())).items


async def settled(store: Store, outcome: Outcome, verdict) -> UUID:
    """The id of a callback of `crm`, of a session that has ended, whose first attempt came to this."""
    await store.end(SESSION)
    await store.settle("crm", Attempt(outcome, store.clock(), 7, None), verdict)
    (found,) = (await store.queries.callbacks.page(CallbackFilter(subscriber="crm"))).items
    return found.callback_id


class TestCallbacks:
    async def test_a_delivered_one_is_due_again_and_its_numbers_go_on(self, store):
        key = await settled(store, Outcome.DELIVERED, Delivered())
        planned = await plan(store, Resend(key))
        done = await perform(store, Resend(key, "lost by the CRM"))
        assert done.effect == effect(planned)
        assert done.effect["callbacks"] == [
            {"callbackId": str(key), "subscriber": "crm", "state": "completed", "status": "delivered", "attempts": 1}
        ]
        assert (done.session_id, done.callback_id, done.reason) == (SESSION, key, "lost by the CRM")
        await store.settle("crm", Attempt(Outcome.DELIVERED, store.clock(), 7, None), Delivered())
        attempts = "SELECT number, outcome FROM attempts WHERE subscriber = 'crm' ORDER BY number"
        assert await rows(store.database, attempts) == [(1, "delivered"), (2, "delivered")]

    async def test_a_dead_one_is_retried_and_not_resent(self, store):
        key = await settled(store, Outcome.FAILED, Dead())
        for refused in (plan(store, Resend(key)), perform(store, Resend(key, "why"))):
            with pytest.raises(NotDelivered):
                await refused
        planned = await plan(store, Retry(key))
        assert (await perform(store, Retry(key))).effect == effect(planned)
        due = "SELECT status, tries FROM callbacks WHERE subscriber = 'crm'"
        assert await rows(store.database, due) == [("pending", 0)]

    async def test_a_delivered_one_is_not_retried(self, store):
        key = await settled(store, Outcome.DELIVERED, Delivered())
        for refused in (plan(store, Retry(key)), perform(store, Retry(key))):
            with pytest.raises(AlreadyDelivered):
                await refused
        assert await trail(store) == []

    async def test_one_is_sent_once_by_two_who_have_seen_it_dead(self, store):
        key = await settled(store, Outcome.GAVE_UP, Dead())
        seen = Seen("dead", (await plan(store, Retry(key))).callbacks[0].attempts)
        await perform(store, Retry(key, "ticket", seen))
        with pytest.raises(CallbackMoved):
            await perform(store, Retry(key, "ticket", seen))
        assert len(await trail(store)) == 1

    async def test_one_is_sent_again_once_by_two_who_have_seen_it_delivered(self, store):
        key = await settled(store, Outcome.DELIVERED, Delivered())
        await perform(store, Resend(key, "lost", Seen("delivered", 1)))
        with pytest.raises(NotDelivered):
            await perform(store, Resend(key, "lost", Seen("delivered", 1)))
        with pytest.raises(CallbackMoved):
            await perform(store, Retry(key, "lost", Seen("delivered", 1)))
        assert len(await trail(store)) == 1

    async def test_a_notice_is_of_no_session(self, store):
        await store.take(arrival(2, "completed"))
        done = await perform(store, CloseGap(SESSION, "lost"))
        (notice,) = [each for each in done.effect["callbacks"] if each["state"] == "session.gap_closed"]
        key = UUID(notice["callbackId"])
        assert (await perform(store, Retry(key))).session_id is None


class TestGaps:
    async def test_what_is_not_held_has_no_gap_and_neither_has_one_that_is_closed(self, store):
        await store.take(arrival(2, "completed"))
        await perform(store, CloseGap(SESSION, "lost"))
        for refused in (plan(store, CloseGap(SESSION)), perform(store, CloseGap(SESSION, "again"))):
            with pytest.raises(NothingHeld):
                await refused
        assert len(await trail(store)) == 1

    async def test_one_gap_is_closed_at_a_time_and_only_the_one_that_was_looked_at(self, store):
        await store.take(arrival(2, "created"), arrival(5, "completed"))
        seen = tuple((await plan(store, CloseGap(SESSION))).gap.given_up)
        await perform(store, CloseGap(SESSION, "lost", seen))
        with pytest.raises(GapMoved):
            await perform(store, CloseGap(SESSION, "lost", seen))
        assert await rows(store.database, "SELECT state FROM sessions") == [("created",)]

    async def test_what_is_read_of_it_is_changed_by_it(self, store):
        await store.take(arrival(2, "completed"))
        before = await store.queries.sessions.find(SESSION)
        store.clock.advance(0)
        await perform(store, CloseGap(SESSION, "lost"))
        after = await store.queries.sessions.find(SESSION)
        assert (before.state, after.state, after.held) == ("pending", "completed", [])
        assert after.updated_at > before.updated_at


class TestNotes:
    async def test_a_note_is_in_the_trail_and_changes_nothing(self, store):
        await store.take(arrival(1, "created"))
        before = await store.queries.sessions.find(SESSION)
        done = await perform(store, Note(SESSION, "Rückruf erledigt 😀"))
        assert await trail(store) == [done]
        assert (done.act, done.reason, done.effect) == ("session.note", "Rückruf erledigt 😀", {})
        assert await store.queries.sessions.find(SESSION) == before
        assert (await store.queries.cases.find(SESSION)).acts[0].reason == done.reason

    async def test_it_needs_a_session(self, store):
        for act in (Note(SESSION, "who?"), CloseGap(SESSION, "who?"), Retry(SESSION)):
            with pytest.raises(NotFound):
                await perform(store, act)
        assert await trail(store) == []


async def test_nothing_is_done_without_the_reason_that_it_takes(store):
    await store.take(arrival(2, "completed"))
    with pytest.raises(BodyRefused):
        await perform(store, CloseGap(SESSION))
    assert await rows(store.database, "SELECT state FROM sessions") == [("pending",)]


@pytest.mark.parametrize("act", ["retry", "close", "note"])
async def test_an_act_that_cannot_be_recorded_is_not_done(store, act):
    """The database refuses the entry when all else is written."""
    key = await settled(store, Outcome.FAILED, Dead())
    held = uuid4()
    await store.take(arrival(2, "completed", held))
    doing = {"retry": Retry(key), "close": CloseGap(held, "lost"), "note": Note(held, "called")}[act]
    before = await everything(store)

    def refuse(_connection, _cursor, statement, *_):
        if "INSERT INTO audit_entries" in statement:
            raise RuntimeError("no room")

    event.listen(store.database.writer.sync_engine, "before_cursor_execute", refuse)
    with pytest.raises(RuntimeError, match="no room"):
        await perform(store, doing)
    event.remove(store.database.writer.sync_engine, "before_cursor_execute", refuse)
    assert await everything(store) == before
    await perform(store, doing)
    assert len(await trail(store)) == 1


async def everything(store: Store):
    tables = ("sessions", "events", "transitions", "callbacks", "attempts", "audit_entries")
    return [sorted(map(repr, await rows(store.database, f"SELECT * FROM {name}"))) for name in tables]


@st.composite
def gapped(draw):
    """A tale of any chart, of which some is lost."""
    chart = draw(charts())
    events = draw(tales(chart, max_size=12))
    kept = [each for each in events if draw(st.integers(0, 2))]
    return chart, draw(st.permutations(kept or events[-1:]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tale=gapped())
async def test_what_is_planned_is_done_and_is_what_the_sweep_does(database, clock, tale):
    chart, events = tale
    store = Store(database, clock, *SUBSCRIBERS)
    store.journal.charts = Charts(chart)
    by_hand, by_time = uuid4(), uuid4()
    for session in (by_hand, by_time):
        await store.take(*(Arrival(replace(each, session_id=session), "token", KEY) for each in events))
    while (await read(store, SessionRow, by_hand))[0].held:
        await close_as_planned(store, by_hand)
    await store.give_up()
    assert await history(store, by_hand) == await history(store, by_time)


async def close_as_planned(store: Store, session: UUID) -> None:
    models = (TransitionRow, EventRow, CallbackRow)
    steps, events, callbacks = [await read(store, model, session) for model in models]
    planned = await plan(store, CloseGap(session))
    done = await perform(store, CloseGap(session, "lost", tuple(planned.gap.given_up)))
    assert done.effect == effect(planned)
    gap = planned.gap
    now, (row,) = [await read(store, model, session) for model in models], await read(store, SessionRow, session)
    assert [(each.source, each.target, each.trigger, each.cause, each.sequence) for each in now[0][len(steps) :]] == [
        (each.source, each.target, each.trigger, each.cause, each.sequence) for each in gap.steps
    ]
    was = {each.event_id: each.disposition for each in events}
    changed = {each.event_id: each.disposition for each in now[1] if each.disposition != was[each.event_id]}
    assert changed == {each.event_id: each.disposition for each in gap.events}
    assert (row.state, row.held, (row.given_up or [])[-len(gap.given_up) :]) == (gap.target, gap.held, gap.given_up)
    owed = {each.callback_id for each in now[2]} - {each.callback_id for each in callbacks}
    told = {each.callback_id for each in planned.callbacks if each.state not in NOTICES}
    assert owed == told
    assert [each.subscriber for each in planned.callbacks if each.state in NOTICES] == ["crm"]


async def read(store: Store, model, session: UUID):
    of = table(model)
    return await store.run(
        lambda c, _: c.execute(select(of).where(of.c.session_id == session).order_by(*of.primary_key)).all()
    )


async def history(store: Store, session: UUID):
    """What became of a session, but for its id and the times."""
    (row,), steps, events, callbacks = [
        await read(store, model, session) for model in (SessionRow, TransitionRow, EventRow, CallbackRow)
    ]
    bodies = [json.loads(each.body)["data"] for each in callbacks]
    for each in bodies:
        del each["callbackId"], each["sessionId"], each["endedAt"]
    return (
        (row.state, row.cursor, row.held, row.contiguous, row.given_up, row.inferred, row.applied),
        [(each.ordinal, each.source, each.trigger, each.cause, each.event_id, each.reason) for each in steps],
        {each.event_id: each.disposition for each in events},
        bodies,
    )
