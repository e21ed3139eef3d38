"""What was believed when somebody was told, beside what is known now: stories that the write side wrote."""

import pytest

from statekeeper.core.events import LastStep
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.explanation.beliefs import Difference, beliefs
from stores import SESSION, Store, arrival

CONFIRMED = (
    Difference("steps without an event", "session.created", "none"),
    Difference("numbers given up on", "1", "none"),
    Difference("every event there", "no", "yes"),
)


@pytest.fixture
def engine_name():
    """One engine will do: both answer with the same case."""
    return "sqlite"


@pytest.fixture
def store(database, clock):
    return Store(database, clock, Subscriber("crm"))


async def believed(store):
    return beliefs(await store.queries.cases.find(SESSION))


async def differences(store):
    (belief,) = await believed(store)
    return belief.differences


async def lose_the_first(store, **members):
    await store.take(arrival(2, "completed", **members))
    await store.give_up()


async def test_a_session_that_told_nobody_believed_nothing(store):
    await store.take(arrival(1, "created"))
    assert await believed(store) == ()


async def test_what_came_in_order_is_known_as_it_was_believed(store):
    facts = {"flow_id": "f", "environment": "live", "last_step": LastStep("END", "END", None)}
    await store.take(arrival(1, "created", **facts), arrival(2, "completed", **facts), arrival(2, "completed", **facts))
    (belief,) = await believed(store)
    assert (belief.same, belief.differences) == (True, ())
    assert belief.callback.subscriber == "crm"


async def test_a_hole_that_is_still_there_is_no_difference(store):
    await lose_the_first(store)
    assert (await differences(store)) == ()


async def test_a_late_event_confirms_what_was_inferred(store):
    await lose_the_first(store)
    await store.take(arrival(1, "created"))
    assert (await differences(store)) == CONFIRMED


async def test_a_late_event_of_another_name_fills_its_number_and_confirms_nothing(store):
    await lose_the_first(store)
    await store.take(arrival(1, "other"))
    assert (await differences(store)) == (Difference("numbers given up on", "1", "none"),)


async def test_of_two_numbers_only_the_one_that_came_is_known(store):
    await store.take(arrival(3, "completed"))
    await store.give_up()
    await store.take(arrival(1, "created"))
    assert (await differences(store)) == (
        Difference("steps without an event", "session.created", "none"),
        Difference("numbers given up on", "1, 2", "2"),
    )


async def test_a_late_event_may_bring_a_last_step_that_nobody_knew(store):
    await lose_the_first(store)
    await store.take(arrival(1, "created", last_step=LastStep("ID-SCAN", "SCAN", None)))
    assert (await differences(store)) == (Difference("last step", "none", "ID-SCAN SCAN"), *CONFIRMED)


async def test_the_last_step_of_the_end_stands_whatever_comes_before_it(store):
    await lose_the_first(store, last_step=LastStep("END-ACCEPT", "END", None))
    await store.take(arrival(1, "created", last_step=LastStep("ID-SCAN", "SCAN", None)))
    assert (await differences(store)) == CONFIRMED


async def test_an_event_that_contradicts_is_known_since(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    clock.advance(1)
    await store.take(arrival(2, "error"))
    assert (await differences(store)) == (Difference("events that contradict it", "none", "1"),)


async def test_a_contradiction_that_was_known_then_is_no_difference(store, clock):
    await store.take(arrival(1, "created"), arrival(1, "error"))
    clock.advance(1)
    await store.take(arrival(2, "completed"))
    assert (await differences(store)) == ()


async def test_flow_and_environment_may_be_filled_in_later(store, clock):
    await store.take(arrival(1, "created"), arrival(2, "completed"))
    clock.advance(1)
    await store.take(arrival(3, "other", flow_id="flow-1", environment="live"))
    assert (await differences(store)) == (
        Difference("flow", "none", "flow-1"),
        Difference("environment", "none", "live"),
    )


async def test_a_step_that_was_told_is_not_otherwise_because_others_followed(database, clock):
    store = Store(database, clock, Subscriber("steps", scope=Scope.ALL))
    await store.take(arrival(1, "created", last_step=LastStep("A", None, None)))
    clock.advance(1)
    await store.take(arrival(2, "completed", last_step=LastStep("B", None, None)))
    assert [belief.same for belief in await believed(store)] == [True, True]


async def test_a_gap_closed_behind_a_step_is_no_hole_before_it(database, clock):
    store = Store(database, clock, Subscriber("steps", scope=Scope.ALL))
    await store.take(arrival(1, "created"), arrival(3, "completed"))
    await store.give_up()
    await store.take(arrival(2, "other"))
    created, completed = await believed(store)
    assert created.same
    assert completed.differences == (
        Difference("numbers given up on", "2", "none"),
        Difference("every event there", "no", "yes"),
    )
