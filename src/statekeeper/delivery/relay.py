"""The relay: claims what is due, for every subscriber that is loaded here, and has the courier deliver it.

A claim takes no more than a subscriber has free slots, so that one that is slow holds up nobody else; the claims of all
subscribers share a transaction. A slot is free again once its subscriber has answered: the next attempt goes out while
this one is settled. A crash needs no rescuer: what was claimed and not settled is claimed again when its lease runs
out, and the fence in the store sees to it that a late worker changes nothing, except that a delivery always counts.

The relay claims when it is woken (a callback was committed, a slot is free that somebody waits for, an endpoint takes
callbacks again), when an attempt that it put off is due or a rate allows more, and once a second, for what others have
put into the store.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Final

import structlog
from sqlalchemy import Connection

from statekeeper.core.errors import Unavailable
from statekeeper.core.health import Recovered
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.claims import Wish, claim_due
from statekeeper.delivery.courier import Courier, Execute, Sender
from statekeeper.delivery.settlement import Policy, Settled
from statekeeper.delivery.throttle import Throttle
from statekeeper.store.attempts import Claim

POLL_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 5.0
SETTLING_SECONDS: Final = 1.0
log = structlog.get_logger()


class Relay:
    """Delivers what is due to `senders`, by subscriber. `run` does so for ever, `run_once` once, for tests."""

    def __init__(
        self,
        execute: Execute,
        senders: Mapping[str, Sender],
        policy: Policy,
        *,
        subscribers: Callable[[], Iterable[Subscriber]] = tuple,
        poll: float = POLL_SECONDS,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._execute = execute
        self._senders = senders
        self._policy = policy
        self._poll = poll
        self._clock = clock
        self._courier = Courier(execute, senders, policy, subscribers, sleep)
        self._throttle = Throttle(clock)
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

        An attempt may have its answer when it is cancelled, and goes on to be settled: it is given a moment for that,
        and cancelled again, since it would wait for ever for a store that is away.

        `run` ends by itself then: to cancel it instead could lose claims that are just being made, to their leases.
        """
        self._closing = True
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace), self._claiming:
                await asyncio.gather(*map(asyncio.shield, self._tasks))
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=SETTLING_SECONDS)

    async def _start_due(self) -> list[asyncio.Task[Settled]]:
        """Claim what free slots allow, and start an attempt at each."""
        async with self._claiming:
            if self._closing:
                return []
            self._forget_passed()
            free = {name: sender.slots - self._busy[name] for name, sender in self._senders.items()}
            allowed = self._throttle.limit(free, {name: sender.rate for name, sender in self._senders.items()})
            claims = await self._claim(allowed)
            found = Counter(claim.subscriber for claim, _ in claims)
            self._throttle.take(free, allowed, found)
            self._hungry = {name for name, slots in free.items() if found[name] >= slots}
            return [self._start(claim, at) for claim, at in claims]

    async def _claim(self, allowed: Mapping[str, int]) -> list[tuple[Claim, datetime]]:
        """The claims, each with the store's time at which it was made."""
        wishes = [self._wish(name, slots) for name, slots in allowed.items() if slots > 0]
        if not wishes:
            return []

        def job(connection: Connection, now: datetime) -> list[tuple[Claim, datetime]]:
            return [(claim, now) for claim in claim_due(connection, wishes, now, self._policy.lease)]

        return await self._execute(job)

    def _wish(self, name: str, slots: int) -> Wish:
        sender = self._senders[name]
        return Wish(name, slots, sender.guarded, sender.ordered)

    def _start(self, claim: Claim, at: datetime) -> asyncio.Task[Settled]:
        self._busy[claim.subscriber] += 1
        task = asyncio.create_task(self._courier.deliver(claim, at, partial(self._free, claim.subscriber)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._finish, claim.subscriber))
        return task

    def _free(self, subscriber: str) -> None:
        """A slot is free; wake if more may be waiting for it."""
        self._busy[subscriber] -= 1
        if subscriber in self._hungry:
            self.wake()

    def _finish(self, subscriber: str, task: asyncio.Task[Settled]) -> None:
        """Wake if the outcome makes something due, or the next attempt is due earlier than the next poll."""
        self._tasks.discard(task)
        settled = None if task.cancelled() else task.result()
        if settled and settled.wait is not None and settled.wait < self._poll:
            heappush(self._due, self._clock() + settled.wait)
            self.wake()
        if settled and self._frees_others(subscriber, settled):
            self.wake()

    def _frees_others(self, subscriber: str, settled: Settled) -> bool:
        """Whether something else may be due by it: a notice, all that a circuit held back, a session's next step."""
        sender = self._senders.get(subscriber)
        next_step = sender is not None and sender.ordered and settled.counted and settled.wait is None
        return settled.notices > 0 or isinstance(settled.change, Recovered) or next_step

    def _forget_passed(self) -> None:
        now = self._clock()
        while self._due and self._due[0] <= now:
            heappop(self._due)

    async def _rest(self) -> None:
        """Until woken, or an attempt that was put off is due, or a rate allows more, or the next poll."""
        instants = [each for each in (*self._due[:1], self._throttle.next_at()) if each is not None]
        wait = min([self._poll, *(each - self._clock() for each in instants)])
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._woken.wait()
