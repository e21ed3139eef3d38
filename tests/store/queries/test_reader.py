"""What comes of a question that the store cannot answer."""

import pytest
from sqlalchemy.exc import DBAPIError

from statekeeper.core.errors import Unavailable
from statekeeper.store.database import Database
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader
from stores import SESSION


async def test_a_store_that_cannot_answer_is_unavailable(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    queries = Queries(Reader(database.reader))
    for asked in (
        queries.sessions.find(SESSION),
        queries.histories.find(SESSION),
        queries.monitoring.ping(),
        queries.monitoring.gauges(),
    ):
        with pytest.raises(Unavailable):
            await asked
    await database.close()


async def test_a_fault_of_ours_is_not_taken_for_the_stores(store):
    with pytest.raises((DBAPIError, OverflowError)):
        await store.queries.refusals.newest(-(2**70))
