"""The outbox and the endpoints of the store, as its tests use them."""

from datetime import timedelta
from uuid import UUID

from databases import rows
from statekeeper.core.acts import Retry
from statekeeper.core.retry import Attempt, Delivered, Outcome
from statekeeper.store import dead_letters, outbox
from statekeeper.store.database import Database
from statekeeper.store.endpoints import Secret, Target
from statekeeper.trust.sealing import Sealer, new_key

LEASE = timedelta(seconds=50)
KEY = new_key()
SEALER = Sealer([KEY])
OPTIONS = {"transitions": "all", "states": ["completed"], "rate": 2.5}


def callback(number, now, subscriber="crm", status="pending"):
    key = UUID(int=number)
    row = {"session_id": key, "ordinal": 2, "subscriber": subscriber, "callback_id": key, "state": "completed"}
    due = now if status == "pending" else None
    return row | {"body": "{}", "status": status, "attempt": 0, "tries": 0, "due_at": due, "created_at": now}


def target(name="crm"):
    return Target(name, "https://crm.example/?token=hidden", (Secret("whsec_hidden"),))


class Queue:
    """The outbox, each call in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def claim(self, subscriber: str = "crm", limit: int = 10, *, ordered: bool = False):
        return await self._run(lambda c, now: outbox.claim(c, subscriber, limit, now, LEASE, ordered=ordered))

    async def settle(self, claim, verdict, outcome=Outcome.FAILED, detail=None, **said):
        return await self._run(
            lambda c, now: outbox.settle(c, claim, Attempt(outcome, now, 7, detail, **said), verdict, now)
        )

    async def deliver(self, claim, **said):
        return await self.settle(claim, Delivered(), Outcome.DELIVERED, **said)

    async def revive(self, callback_id):
        return await self._run(lambda c, now: dead_letters.revive(c, Retry(callback_id), now))

    async def attempts(self):
        return await rows(self.database, "SELECT number, outcome, detail FROM attempts ORDER BY number")
