"""A store to write to as the writer does, and to ask.

store = Store(database, clock, Subscriber("crm"))
await store.take(arrival(1, "created"), arrival(2, "completed"))    # any arrivals, in one batch
await store.queries.sessions.find(SESSION)
"""

from datetime import timedelta
from uuid import UUID

import databases
from databases import Clock
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.events import SessionEvent
from statekeeper.core.retry import Attempt
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import outbox
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader

KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')
SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")


def arrival(sequence: int, name: str, session: UUID = SESSION, **members) -> Arrival:
    event = SessionEvent(f"e{sequence}-{name}", f"session.{name}", sequence, session, **members)
    return Arrival(event, f"token-{sequence}", KEY)


def number(index: int) -> UUID:
    return UUID(int=index)


class Store:
    """A store whose journal owes these subscribers their callbacks, and waits half a minute for a gap to close."""

    def __init__(self, database: Database, clock: Clock, *subscribers: Subscriber) -> None:
        self.database, self.clock = database, clock
        self.queries = Queries(Reader(database.reader, clock=clock))
        self.journal = Journal(Charts(default_chart()), subscribers, timedelta(seconds=30), jitter=lambda: 0.0)

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def take(self, *arrivals: Arrival):
        await self.run(self.journal.charts.register)
        return await self.run(lambda c, now: databases.write(self.journal, c, arrivals, now))

    async def end(self, session: UUID, name: str = "completed", **members) -> None:
        """A whole story, a second after the last."""
        self.clock.advance(1)
        await self.take(arrival(1, "created", session, **members), arrival(2, name, session, **members))

    async def give_up(self) -> None:
        """Let so much time pass that every gap is closed."""
        await self.run(lambda c, now: databases.sweep(self.journal, c, now))
        for _ in range(31):
            self.clock.advance(1)
            await self.run(lambda c, now: databases.sweep(self.journal, c, now))

    async def settle(self, subscriber: str, attempt: Attempt, verdict) -> None:
        lease = timedelta(seconds=50)
        (claim,) = await self.run(lambda c, now: outbox.claim(c, subscriber, 1, now, lease))
        await self.run(lambda c, now: outbox.settle(c, claim, attempt, verdict, now))
