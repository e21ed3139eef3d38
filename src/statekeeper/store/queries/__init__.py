"""The read side: from rows straight to views, on connections of its own that never wait for the writer.

A room for each topic, and in it what may be asked, the filter it is asked with, and its statements; the columns and
their way into a view are in `projections`. What is asked of a new kind of thing gets a room of its own and a line here.
Every room asks through a `Reader`, which knows what to do when the store is away.
"""

from typing import Final

from statekeeper.store.queries.audit import Audit
from statekeeper.store.queries.callbacks import Callbacks
from statekeeper.store.queries.cases import Cases
from statekeeper.store.queries.consumers import Consumers
from statekeeper.store.queries.explanations import Explanations
from statekeeper.store.queries.feed import Feed
from statekeeper.store.queries.histories import Histories
from statekeeper.store.queries.listing import Listings
from statekeeper.store.queries.monitoring import Monitoring
from statekeeper.store.queries.overview import Overviews
from statekeeper.store.queries.reader import Reader
from statekeeper.store.queries.recoveries import Recoveries
from statekeeper.store.queries.refusals import Refusals
from statekeeper.store.queries.sessions import Sessions


class Queries:
    """What may be asked of a store, by topic; each is there by itself for whoever needs no other."""

    def __init__(self, reader: Reader) -> None:
        self.sessions: Final = Sessions(reader)
        self.listing: Final = Listings(reader)
        self.histories: Final = Histories(reader)
        self.cases: Final = Cases(reader)
        self.explanations: Final = Explanations(reader, self.cases)
        self.callbacks: Final = Callbacks(reader)
        self.recoveries: Final = Recoveries(reader)
        self.refusals: Final = Refusals(reader)
        self.feed: Final = Feed(reader)
        self.consumers: Final = Consumers(reader)
        self.overview: Final = Overviews(reader)
        self.monitoring: Final = Monitoring(reader)
        self.audit: Final = Audit(reader)
