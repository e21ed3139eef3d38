"""Group commit: a bounded queue and the one task that drains it; every write of the process goes through it.

All that waits while one transaction is synced goes into the next, so that durability costs a commit a batch and not a
commit an event. Claims and settlements share commits with arrivals: SQLite has one writer, and two that commit on their
own starve each other.

A batch that fails by its data is written again job by job, so that one bad job fails nobody else; if the store is away
or locked, the whole batch is `Unavailable` at once, and the writer is not `healthy` until an arrival has been written
again, or `probe` found room for one. A waiter that went away is skipped.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection

from statekeeper import metrics
from statekeeper.core.arrivals import Arrival, Receipt
from statekeeper.core.errors import StatekeeperError, Unavailable
from statekeeper.store import feed
from statekeeper.store.database import Database, as_unavailable, is_contention
from statekeeper.store.journal import Entry, Journal
from statekeeper.store.room import give_room, take_room

BATCH: Final = 128
QUEUE: Final = 2048
GATHERING_TURNS: Final = 4
T = TypeVar("T")
log = structlog.get_logger()


# Something to do inside a batch's transaction, at the store's time. An expected refusal (a `StatekeeperError`) must be
# raised before anything is written, since the rest of the batch is committed all the same.
Job = Callable[[Connection, datetime], T]


@dataclass(slots=True)
class _Waiting:
    """A job or an arrival, and who waits for it."""

    what: Arrival | Job[Any]
    done: asyncio.Future[Any]

    def answer(self, value: object) -> None:
        if self.done.done():
            return
        if isinstance(value, Exception):
            self.done.set_exception(value)
        else:
            self.done.set_result(value)


class Writer:
    """The one writer of the process. `after_commit` is called with each entry once it is on disk."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        *,
        after_commit: Callable[[Entry], None] = lambda _: None,
        queue_limit: int = QUEUE,
        batch_limit: int = BATCH,
    ) -> None:
        self._database = database
        self._journal = journal
        self._after_commit = after_commit
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._stopping = self._ended = False
        self.healthy = True

    async def submit(self, arrival: Arrival) -> Receipt:
        """Write one arrival; returns once it is on disk. Raises `Unavailable` where that cannot be had now."""
        self._admit()
        receipt: Receipt = await self._enqueue(arrival)
        return receipt

    async def offer(self, job: Job[T]) -> T:
        """As `execute`, for what a stranger can cause: raises `Unavailable` as well where the queue is full."""
        self._admit()
        return await self.execute(job)

    async def execute(self, job: Job[T]) -> T:
        """Run a job inside the next transaction; returns its value once that is on disk."""
        value: T = await self._enqueue(job)
        return value

    async def run(self) -> None:
        """Drain the queue until `stop`; to be supervised."""
        try:
            while self._queue or not self._stopping:
                await self._arrived.wait()
                await self._gather()
                if batch := self._take():
                    await self._write(batch)
        finally:
            self._ended = True
            _abandon(self._queue)

    async def probe(self) -> None:
        """Find out whether a store that failed takes as much as a batch again; raises `Unavailable` if it does not."""
        await self.execute(take_room)
        await self.execute(give_room)
        self.healthy = True

    def stop(self) -> None:
        """Let `run` end once the queue is empty."""
        self._stopping = True
        self._arrived.set()

    def _admit(self) -> None:
        if len(self._queue) >= self._queue_limit:
            raise Unavailable("The intake queue is full.", reason="queue_full", retry_after=1)

    def _enqueue(self, what: Arrival | Job[Any]) -> asyncio.Future[Any]:
        if self._ended:
            raise _stopping()
        waiting = _Waiting(what, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        return waiting.done

    async def _gather(self) -> None:
        """Let the loop turn a few times, so that those just answered can come again and join those that wait.

        Else a crowd splits in two halves that take turns, and two small batches cost a fifth more than one.
        """
        for _ in range(GATHERING_TURNS):
            await asyncio.sleep(0)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < self._batch_limit:
            waiting = self._queue.popleft()
            if not waiting.done.cancelled():
                batch.append(waiting)
        if not self._queue and not self._stopping:
            self._arrived.clear()
        return batch

    async def _write(self, batch: list[_Waiting]) -> None:
        """Write the batch, or what of it can be written; everybody in it gets an answer."""
        began = time.perf_counter()
        try:
            answers, entries = await self._transact(batch)
        except Exception as error:  # noqa: BLE001 -- whatever a batch raises is its waiters' to know
            await self._despair(batch, error)
            return
        except asyncio.CancelledError:
            _abandon(batch)
            raise
        metrics.BATCH_SIZE.observe(len(batch))
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - began)
        self.healthy = self.healthy or any(entry.receipts for entry in entries)
        for entry in entries:
            self._journal.committed(entry)
            self._after_commit(entry)
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer(answer)

    async def _despair(self, batch: list[_Waiting], error: Exception) -> None:
        away = as_unavailable(error)
        if len(batch) > 1 and (away is None or is_contention(error)):
            log.warning("batch_split", jobs=len(batch), error=type(error).__name__)
            for waiting in batch:
                await self._write([waiting])
            return
        if away:
            self.healthy = self.healthy and is_contention(error)
            log.error("store_unavailable", jobs=len(batch), error=type(error).__name__)
        for waiting in batch:
            waiting.answer(away or error)

    async def _transact(self, batch: list[_Waiting]) -> tuple[list[Any], list[Entry]]:
        async with self._database.writer.begin() as connection:
            return await connection.run_sync(self._apply, batch)

    def _apply(self, connection: Connection, batch: list[_Waiting]) -> tuple[list[Any], list[Entry]]:
        """Arrivals first and all together, then the other jobs in their order, and last what goes into the feed."""
        now = self._database.now(connection)
        arrivals = [waiting.what for waiting in batch if isinstance(waiting.what, Arrival)]
        entries = [self._journal.write(connection, arrivals, now)] if arrivals else []
        receipts = iter(entries[0].receipts if entries else [])
        answers = [
            next(receipts) if isinstance(waiting.what, Arrival) else _perform(waiting.what, connection, now)
            for waiting in batch
        ]
        entries += [answer for answer in answers if isinstance(answer, Entry)]
        feed.append(connection, [row for entry in entries for row in entry.steps])
        return answers, entries


def _abandon(waiting: Iterable[_Waiting]) -> None:
    """The writer is no more: whoever waits is told to come again, since what is not known to be on disk may not be."""
    for each in waiting:
        each.answer(_stopping())


def _stopping() -> Unavailable:
    return Unavailable("The service is stopping.", reason="stopping")


def _perform(job: Job[Any], connection: Connection, now: datetime) -> Any:  # noqa: ANN401 -- a job's own value
    try:
        return job(connection, now)
    except StatekeeperError as refusal:
        return refusal
