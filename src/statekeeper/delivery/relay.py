"""The relay: claims what is due, for every subscriber that is loaded here, and has the courier deliver it.

A claim takes no more than a subscriber has free slots, so that one that is slow holds up nobody else; the claims of all
subscribers share a transaction. A slot is free again once its attempt is settled. A crash needs no rescuer: what was
claimed and not settled is claimed again when its lease runs out, and the fence in the store sees to it that a late
worker changes nothing, except that a delivery always counts.

The relay claims when it is woken (a callback was committed, a slot is free that somebody waits for), when an attempt
that it put off is due, and once a second, for what others have put into the store.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Final

import structlog
from sqlalchemy import Connection

from statekeeper.core.errors import Unavailable
from statekeeper.delivery.courier import Courier, Execute, Policy, Sender, Settled
from statekeeper.store import outbox
from statekeeper.store.outbox import Claim

POLL_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 5.0
log = structlog.get_logger()


class Relay:
    """Delivers what is due to `senders`, by subscriber. `run` does so for ever, `run_once` once, for tests."""

    def __init__(
        self,
        execute: Execute,
        senders: Mapping[str, Sender],
        policy: Policy,
        *,
        poll: float = POLL_SECONDS,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._execute = execute
        self._senders = senders
        self._policy = policy
        self._poll = poll
        self._courier = Courier(execute, senders, policy, sleep)
        self._woken = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._closing = False
        self._tasks: set[asyncio.Task[Settled]] = set()
        self._busy: Counter[str] = Counter()
        self._hungry: set[str] = set()
        self._due: list[float] = []

    def wake(self) -> None:
        """Something may be due: to be called on the relay's loop, after the commit."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until `close`; to be supervised. What goes wrong with one attempt does not end it."""
        while not self._closing:
            self._woken.clear()
            try:
                await self._start_due()
            except Unavailable as error:
                log.warning("callbacks_not_claimed", reason=error.reason)
            await self._rest()

    async def run_once(self) -> int:
        """Claim once, make those attempts and settle them; returns how many there were."""
        tasks = await self._start_due()
        await asyncio.gather(*tasks)
        return len(tasks)

    async def close(self, grace: float = GRACE_SECONDS) -> None:
        """Claim nothing more, and give what is under way its time; the leases of the rest run out.

        `run` ends by itself then: to cancel it instead could lose claims that are just being made, to their leases.
        """
        self._closing = True
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace), self._claiming:
                await asyncio.gather(*map(asyncio.shield, self._tasks))
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _start_due(self) -> list[asyncio.Task[Settled]]:
        """Claim what free slots allow, and start an attempt at each."""
        async with self._claiming:
            if self._closing:
                return []
            self._forget_passed()
            free = {name: sender.slots - self._busy[name] for name, sender in self._senders.items()}
            claims = await self._claim(free)
            found = Counter(claim.subscriber for claim, _ in claims)
            self._hungry = {name for name, slots in free.items() if found[name] >= slots}
            return [self._start(claim, at) for claim, at in claims]

    async def _claim(self, free: Mapping[str, int]) -> list[tuple[Claim, datetime]]:
        """The claims, each with the store's time at which it was made."""
        wanted = {name: slots for name, slots in free.items() if slots > 0}
        if not wanted:
            return []

        def job(connection: Connection, now: datetime) -> list[tuple[Claim, datetime]]:
            lease = self._policy.lease
            claims = (outbox.claim(connection, name, slots, now, lease) for name, slots in wanted.items())
            return [(claim, now) for each in claims for claim in each]

        return await self._execute(job)

    def _start(self, claim: Claim, at: datetime) -> asyncio.Task[Settled]:
        self._busy[claim.subscriber] += 1
        task = asyncio.create_task(self._courier.deliver(claim, at))
        self._tasks.add(task)
        task.add_done_callback(partial(self._finish, claim.subscriber))
        return task

    def _finish(self, subscriber: str, task: asyncio.Task[Settled]) -> None:
        """Free the slot; wake if more may be waiting for it, or earlier than the next poll."""
        self._tasks.discard(task)
        self._busy[subscriber] -= 1
        wait = None if task.cancelled() else task.result().wait
        if wait is not None and wait < self._poll:
            heappush(self._due, time.monotonic() + wait)
            self.wake()
        if subscriber in self._hungry:
            self.wake()

    def _forget_passed(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0] <= now:
            heappop(self._due)

    async def _rest(self) -> None:
        """Until woken, or an attempt that was put off is due, or the next poll."""
        wait = min(self._poll, self._due[0] - time.monotonic()) if self._due else self._poll
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._woken.wait()
