"""The use cases of recovery, and the task that works unfinished recoveries off.

A recovery is a row: whoever begins one may be gone before it ends, and any process goes on with it, after a restart
too. Each portion is a job among others in the writer's transactions, no larger than a batch of webhooks may be, and is
followed by a rest as long as it took, so that webhooks have the store at least half of the time. Unfinished recoveries
take turns, a portion each.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection

from statekeeper import metrics
from statekeeper.core.acts import Actor
from statekeeper.core.errors import NotFound, Unavailable
from statekeeper.core.recovery import Recovery, RecoveryKind, RecoveryProgress
from statekeeper.core.subscribers import Subscriber
from statekeeper.pace import Rest, paced
from statekeeper.store import recovery as store
from statekeeper.store.queries.recoveries import Recoveries
from statekeeper.store.recorded import begin_recovery
from statekeeper.writer import BATCH, Writer

POLL_SECONDS: Final = 2.0
log = structlog.get_logger()


@dataclass(slots=True)
class Recoverer:
    """Plans, begins and works off recoveries for the subscribers that this process has now. `wake` wakes the relay."""

    writer: Writer
    recoveries: Recoveries
    subscribers: Callable[[], Iterable[Subscriber]]
    wake: Callable[[], None] = lambda: None
    rest: Rest = asyncio.sleep
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def plan(self, kind: RecoveryKind, name: str, since: datetime) -> tuple[Recovery, int]:
        """What would be recovered, and how many callbacks that is; nothing is changed. Raises `NotFound`.

        One is counted at a time: it may read for long, and must leave readers to everybody else.
        """
        subscriber = self._find(name)
        if subscriber is None:
            raise NotFound("subscriber", name)
        until = await self.writer.execute(lambda _, now: now)
        recovery = Recovery(kind, subscriber, since, until)
        async with self._counting:
            return recovery, await self.recoveries.total(recovery)

    async def begin(self, kind: RecoveryKind, name: str, since: datetime, actor: Actor) -> UUID:
        """Have it worked off from now on. Raises `NotFound` or `RecoveryUnderWay`."""
        recovery, total = await self.plan(kind, name, since)
        key = uuid4()
        await self.writer.execute(lambda c, now: begin_recovery(c, key, recovery, total, actor, now))
        self._begun.set()
        return key

    async def run(self) -> None:
        """Work off whatever is unfinished, for ever; to be supervised."""
        while True:
            self._begun.clear()
            try:
                while await self.run_once():
                    pass
            except Unavailable as error:
                log.warning("recoveries_not_worked_off", reason=error.reason)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._begun.wait()

    async def run_once(self) -> int:
        """One portion of each that is unfinished and whose subscriber is here; returns how many portions there were."""
        unfinished = await self.recoveries.unfinished()
        made = [await self._work(key, name) for key, name in unfinished if self._find(name)]
        return sum(progress is not None for progress in made)

    async def _work(self, key: UUID, name: str) -> RecoveryProgress | None:
        def portion(connection: Connection, now: datetime) -> RecoveryProgress | None:
            """For whom it is, is asked last, since an endpoint may be changed or deleted meanwhile."""
            subscriber = self._find(name)
            return store.work(connection, key, subscriber, now, BATCH) if subscriber else None

        async with paced(self.rest):
            progress = await self.writer.execute(portion)
            if progress is None:
                return None
            metrics.RECOVERED.labels(name).inc(progress.made)
            self.wake()
            if progress.finished:
                log.info("recovery_finished", recovery_id=str(key), subscriber=name, callbacks=progress.done)
            return progress

    def _find(self, name: str) -> Subscriber | None:
        return next((each for each in self.subscribers() if each.name == name), None)
