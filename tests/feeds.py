"""A store with a feed: written to as the writer does, and asked as the API does.

feed = FeedStore(database, clock)
await feed.story(1)                                     # session 1, from its creation to its end
await feed.take(arrival(2, 1, "created"))               # any arrivals, in one batch
assert await feed.pages(FeedFilter()) == [[2]]          # the positions that are read, page by page
"""

import json
from datetime import timedelta
from uuid import UUID

import msgspec

import databases
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.events import SessionEvent
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.journal import Journal
from statekeeper.store.queries import Queries

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
ALL = FeedFilter(terminal=False)
ENDS = FeedFilter()
SUBSCRIBERS = (Subscriber("crm"), Subscriber("audit", scope=Scope.ALL))


def arrival(session: int, sequence: int, name: str, **members) -> Arrival:
    facts = {"flow_id": "flow", "environment": "live"} | members
    event = SessionEvent(f"e{sequence}-{name}", f"session.{name}", sequence, UUID(int=session), **facts)
    return Arrival(event, f"token-{sequence}", KEY)


class FeedStore:
    """A store to write to and to ask."""

    def __init__(self, database, clock) -> None:
        self.database, self.clock = database, clock
        self.queries = Queries(database.reader, clock=clock)
        self.journal = Journal(Charts(default_chart()), SUBSCRIBERS, timedelta(seconds=30), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def take(self, *arrivals: Arrival):
        await self.run(self.journal.charts.register)
        return await self.run(lambda c, now: databases.write(self.journal, c, arrivals, now))

    async def sweep(self):
        await self.run(lambda c, now: databases.sweep(self.journal, c, now))
        for _ in range(4):
            self.clock.advance(9)
            await self.run(lambda c, now: databases.sweep(self.journal, c, now))

    async def story(self, session: int, end: str = "completed", **members):
        self.clock.advance(1)
        await self.take(arrival(session, 1, "created", **members), arrival(session, 2, end, **members))

    async def pages(self, wanted: FeedFilter = ENDS, limit: int = 100, after: int = 0) -> list[list[int]]:
        pages = []
        while (page := await self.queries.feed(after, wanted, limit)).items:
            pages.append([int(item.position) for item in page.items])
            after = int(page.next_cursor)
        return pages

    async def items(self, wanted: FeedFilter = ENDS):
        return msgspec.to_builtins((await self.queries.feed(0, wanted, 1000)).items)

    async def told(self, subscriber: str) -> dict[tuple[str, int], dict]:
        query = f"SELECT body, ordinal FROM callbacks WHERE subscriber = '{subscriber}'"
        bodies = [(json.loads(body), ordinal) for body, ordinal in await databases.rows(self.database, query)]
        return {(body["data"]["sessionId"], ordinal): body for body, ordinal in bodies}
