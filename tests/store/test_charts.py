"""A session keeps the chart that it began with, whatever the program runs later."""

from datetime import timedelta
from uuid import uuid4

import pytest

import databases
from databases import rows
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.events import SessionEvent
from statekeeper.core.statechart import Statechart
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal

OLD = Statechart.compile({"id": "c", "initial": "a", "states": {"a": {"on": {"go": "b"}}, "b": {"type": "final"}}})
NEW = Statechart.compile({"id": "c", "initial": "a", "states": {"a": {"on": {"go": "z"}}, "z": {"type": "final"}}})


async def tell(database: Database, chart: Statechart, *events: SessionEvent) -> None:
    """As a program that runs this chart, fresh from its start."""
    journal = Journal(Charts(chart), (), timedelta(seconds=30))
    arrivals = [Arrival(event, "token", SigningKey("thumb", None, "{}")) for event in events]
    async with database.writer.begin() as connection:
        await connection.run_sync(lambda c: journal.charts.register(c, database.now(c)))
        await connection.run_sync(lambda c: databases.write(journal, c, arrivals, database.now(c)))


@pytest.mark.parametrize(("first", "second", "state"), [(OLD, NEW, "b"), (NEW, OLD, "z"), (OLD, OLD, "b")])
async def test_a_session_goes_on_along_the_chart_it_began_with(database, first, second, state):
    begun, fresh = uuid4(), uuid4()
    await tell(database, first, SessionEvent("e2", "go", 2, begun))
    await tell(database, second, SessionEvent("e1", "what", 1, begun), SessionEvent("f1", "go", 1, fresh))
    found = dict(await rows(database, "SELECT state, chart_version FROM sessions ORDER BY arrivals DESC"))
    assert found[state] == first.version
    assert len(await rows(database, "SELECT version FROM charts")) == len({first.version, second.version})
