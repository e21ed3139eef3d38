"""Callbacks of all sessions, on both engines."""

from datetime import timedelta

from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.waiting import Owed
from stores import number


async def test_callbacks_are_listed_with_their_session_and_attempts(store, clock):
    for index in range(3):
        await store.end(number(index), "error")
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7), Delivered())
    first = await store.queries.callbacks.page(CallbackFilter(), 4)
    rest = await store.queries.callbacks.page(CallbackFilter(), 4, first.next_cursor)
    items = [*first.items, *rest.items]
    assert len({item.callback_id for item in items}) == 6
    assert rest.next_cursor is None
    assert [item.session_id.int for item in items] == [2, 2, 1, 1, 0, 0]
    (delivered,) = (await store.queries.callbacks.page(CallbackFilter(statuses=("delivered",)))).items
    assert (delivered.subscriber, delivered.session_id, len(delivered.attempts)) == ("mail", number(0), 1)
    crm = (await store.queries.callbacks.page(CallbackFilter(statuses=("pending", "dead"), subscriber="crm"))).items
    assert [item.session_id.int for item in crm] == [2, 1, 0]
    assert (await store.queries.callbacks.page(CallbackFilter(subscriber="nobody"))).items == []


async def test_what_is_due_is_told_from_what_is_only_pending(store, clock):
    for index in range(2):
        await store.end(number(index), "error")
    await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), RetryAt(clock.now + timedelta(hours=1)))
    due = CallbackFilter(("pending",), "mail", clock.now)
    assert [item.session_id for item in (await store.queries.callbacks.page(due)).items] == [number(1)]
    everybody = await store.queries.callbacks.page(CallbackFilter(due_by=clock.now))
    assert len(everybody.items) == 3
    assert (await store.queries.callbacks.page(CallbackFilter(("dead",), due_by=clock.now))).items == []


async def test_every_subscriber_that_was_ever_owed_anything_has_its_counts(store, clock):
    assert await store.queries.callbacks.owed() == []
    await store.end(number(1), "error")
    first = clock.now
    await store.end(number(2), "error")
    await store.end(number(3), "error")
    await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), Dead())
    await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), Dead())
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7), Delivered())
    assert await store.queries.callbacks.owed() == [Owed("crm", 3, 0, first), Owed("mail", 0, 2, None)]


async def test_without_a_filter_all_are_listed_the_dead_as_well_and_none_twice(store, clock):
    for index in range(3):
        await store.end(number(index), "error")
    await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), Dead())
    await store.settle("mail", Attempt(Outcome.DELIVERED, clock.now, 7), Delivered())
    everything = (await store.queries.callbacks.page(CallbackFilter(subscriber="mail"))).items
    assert [item.status for item in everything] == ["pending", "delivered", "dead"]
    twice = CallbackFilter(("dead", "pending", "dead"), "mail")
    assert [item.status for item in (await store.queries.callbacks.page(twice)).items] == ["pending", "dead"]


async def test_the_attempts_of_a_callback_are_in_their_order(store, clock):
    await store.end(number(1), "error")
    for _ in range(3):
        await store.settle("mail", Attempt(Outcome.FAILED, clock.now, 7), RetryAt(clock.now))
        clock.advance(1)
    (item,) = (await store.queries.callbacks.page(CallbackFilter(subscriber="mail"))).items
    assert [attempt.number for attempt in item.attempts] == [1, 2, 3]
