"""The acts of support on the store that the settings name, as the service performs them.

What an act owes is owed to all whom the service would tell: functions, what stands in the settings, and the endpoints
in the store, those too whose keys are not known here.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from statekeeper.acts import Acts
from statekeeper.cli.flags import settings
from statekeeper.cli.store import execute, with_store
from statekeeper.delivery.handlers import check_names, load_handlers
from statekeeper.logs import silence
from statekeeper.resources import default_chart
from statekeeper.roster import Roster
from statekeeper.settings import Settings
from statekeeper.store import schema
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.queries.reader import Reader

T = TypeVar("T")


def act_on(act: Callable[[Acts], Awaitable[T]], *, functions: bool = False) -> T:
    """Act on the store; with `functions`, which must then be there, those are owed their callbacks as well."""
    found = settings()
    handlers = load_handlers(found.callbacks, default_chart().finals) if functions else ()
    roster = Roster(found, handlers)
    check_names(each.subscriber for each in roster.members)
    with silence("endpoint_not_opened"):  # nothing is sent from here
        return with_store(lambda database: _act(act, database, found, roster))


async def _act(act: Callable[[Acts], Awaitable[T]], database: Database, found: Settings, roster: Roster) -> T:
    await schema.check(database)
    reader, directory = Reader(database.reader), roster.directory()
    try:
        await directory.refresh(reader.read)
        journal = Journal(Charts(default_chart()), directory.subscribers, first_delay=found.delivery.schedule[0])
        return await act(Acts(partial(execute, database), reader.read, journal, directory.where))
    finally:
        await roster.close()
