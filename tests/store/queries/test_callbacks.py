"""Callbacks of all sessions, on both engines."""

from statekeeper.core.retry import Attempt, Delivered, Outcome
from statekeeper.store.queries.callbacks import CallbackFilter
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
