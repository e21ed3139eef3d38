"""The different values of a column, on both engines."""

import pytest

from statekeeper.store.distinct import distinct
from statekeeper.store.tables import SessionRow, table
from stores import Store, number

OF = table(SessionRow).c


@pytest.fixture
async def store(database, clock):
    store = Store(database, clock)
    origins = [("b", "live"), ("a", "live"), (None, "live"), ("a", "live"), ("c", "test"), ("0", None)]
    for index, (flow, environment) in enumerate(origins):
        await store.end(number(index), flow_id=flow, environment=environment)
    return store


async def test_each_is_named_once_in_order_and_a_missing_one_never(store):
    assert await store.run(lambda c, _: distinct(c, OF.environment)) == ["live", "test"]
    assert await store.run(lambda c, _: distinct(c, OF.flow_id)) == ["0", "a", "b", "c"]


async def test_they_are_no_more_than_asked_for(store):
    assert await store.run(lambda c, _: distinct(c, OF.flow_id, most=2)) == ["0", "a"]


@pytest.mark.parametrize(("environment", "flows"), [("live", ["a", "b"]), ("test", ["c"]), ("nowhere", [])])
async def test_only_those_of_rows_that_fit_are_named(store, environment, flows):
    assert await store.run(lambda c, _: distinct(c, OF.flow_id, OF.environment == environment)) == flows
