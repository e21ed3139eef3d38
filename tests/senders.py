"""Senders that do as they are told, and the callbacks that are owed to them."""

import asyncio
from collections import deque
from uuid import UUID, uuid5

from sqlalchemy import insert

from databases import rows
from statekeeper.core.callbacks import Callback, SessionEnded
from statekeeper.core.machine import Cause, Step
from statekeeper.core.retry import Outcome
from statekeeper.delivery.answers import DELIVERED, Answer
from statekeeper.store.rows import callback_row
from statekeeper.store.tables import CallbackRow, table

SCHEDULE = (0, 5, 300)
FAILED = Answer(Outcome.FAILED, "HTTP 503")
SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")


class Scripted:
    """A sender that gives the answers it is told, then delivers; what is raised instead is raised."""

    def __init__(self, *answers, slots=8, rate=None, guarded=False, ordered=False):
        self.answers = deque(answers)
        self.slots, self.rate, self.guarded, self.ordered = slots, rate, guarded, ordered
        self.claims = []

    async def send(self, claim):
        self.claims.append(claim)
        answer = self.answers.popleft() if self.answers else DELIVERED
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Hanging(Scripted):
    """A sender that gives its answers only once `go_on` is set; `begun` counts what has come in."""

    def __init__(self, *answers, **limits):
        super().__init__(*answers, **limits)
        self.begun, self.go_on = asyncio.Semaphore(0), asyncio.Event()

    async def send(self, claim):
        self.begun.release()
        await self.go_on.wait()
        return await super().send(claim)


def owe(connection, now, subscriber="crm", *, count=1, seed=0, ordinals=(2,)):
    """Put callbacks into the store, due now: of so many sessions, and of these steps of each. Returns their ids."""
    owed = [
        _callback(uuid5(SESSION, f"{seed}-{number}"), ordinal, subscriber, now)
        for number in range(count)
        for ordinal in ordinals
    ]
    connection.execute(insert(table(CallbackRow)), [callback_row(each, now, now) for each in owed])
    return [each.ended.callback_id for each in owed]


def _callback(session_id, ordinal, subscriber, now):
    callback_id = uuid5(session_id, f"{ordinal}:{subscriber}")
    ended = SessionEnded(callback_id, session_id, None, None, "completed", now, None, [1, 2], True)
    return Callback(subscriber, Step(ordinal, "created", "completed", "session.completed", Cause.EVENT), ended)


async def callbacks(database):
    """What became of the callbacks: status, attempts and failures of each."""
    return await rows(database, "SELECT status, attempt, tries FROM callbacks ORDER BY created_at, callback_id")
