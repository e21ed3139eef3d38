"""A session told in sentences, as of the reader's clock."""

from datetime import timedelta

from stores import SESSION, Store, arrival, number

TIMEOUT = timedelta(seconds=30)


async def test_a_gap_is_told_of_until_it_is_overdue(database, clock):
    store = Store(database, clock)
    await store.take(arrival(2, "completed"))
    told = await store.queries.explanations.find(SESSION, TIMEOUT)
    assert told.summary[1] == "At 2026-01-08T08:36:07.581Z number 1 is given up on, and it becomes completed."
    clock.advance(30)
    told = await store.queries.explanations.find(SESSION, TIMEOUT)
    assert told.summary[1].startswith("Number 1 has been overdue since 2026-01-08T08:36:07.581Z:")


async def test_what_was_foreseen_is_what_the_store_makes_of_it(database, clock):
    store = Store(database, clock)
    await store.take(arrival(3, "aborted"))
    told = await store.queries.explanations.find(SESSION, TIMEOUT)
    assert told.summary[1].endswith("numbers 1, 2 are given up on, and it becomes aborted.")
    await store.give_up()
    told = await store.queries.explanations.find(SESSION, TIMEOUT)
    assert (told.state, told.summary[0].split(";")[1]) == (
        "aborted",
        " numbers 1, 2 never came, so that the way to created was inferred.",
    )


async def test_an_unknown_session_is_none(database, clock):
    assert await Store(database, clock).queries.explanations.find(number(1), TIMEOUT) is None
