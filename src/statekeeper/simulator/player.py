"""The sender: plays a day of sessions to a URL over HTTP, as the provider would.

Each story is played by a task of its own, its deliveries in the plan's order; how many are on their way at once is
bounded. An event that is not answered 2xx is sent again with the next delivery id and newly signed, three times in all,
after pauses of our own choosing (the provider does not tell its own). A forger tries again only where the service could
not answer. Time is compressed by a `Pace`, whose clock and sleep are arguments.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

import httpx

from statekeeper.simulator.forgeries import Forger
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.stories import ATTEMPTS, Day, Delivery, Story
from statekeeper.simulator.tally import Answer, Tally

RETRY_PAUSES: Final = (1.0, 5.0)
"""Seconds before the second and the third attempt; together long enough for a service to fetch a new key."""

TIMEOUT: Final = 10.0
"""The provider wants its answer within ten seconds."""

_SIGNED_AFTER: Final = timedelta(seconds=1.4)
"""How long after `createdAt` a token is issued, as in the provider's example."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send to, what the service calls itself (`aud`), and how much to send at once."""

    url: str
    audience: str
    connections: int = 32


class Pace:
    """Compresses a day: `speed` is how many of its seconds pass in one of ours; `rate` bounds the requests a second."""

    def __init__(
        self,
        speed: float,
        rate: float = math.inf,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speed, self._gap = speed, 1 / rate
        self._sleep, self._now = sleep, now
        self._start = self._free = now()

    async def until(self, at: float) -> None:
        """Wait for this second of the day."""
        await self.pause(self._start + at / self._speed - self._now())

    async def turn(self) -> None:
        """Wait for a request's turn under the rate."""
        turn = max(self._free, self._now())
        self._free = turn + self._gap
        await self.pause(turn - self._now())

    async def pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)


async def play(
    day: Day,
    issuer: Issuer,
    target: Target,
    pace: Pace,
    *,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """Play the day to its end and tell what became of it; `on_progress` is called after each delivery."""
    forger = await asyncio.to_thread(Forger, issuer)
    limits = httpx.Limits(max_connections=target.connections, max_keepalive_connections=target.connections)
    async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as client:
        sender = _Sender(issuer, forger, target, pace, client, on_progress, Tally(planned=day.deliveries))
        async with asyncio.TaskGroup() as tasks:
            for at in day.rotations:
                tasks.create_task(_rotate(issuer, pace, at))
            for story in day.stories:
                tasks.create_task(sender.play(story))
    return sender.tally


async def _rotate(issuer: Issuer, pace: Pace, at: float) -> None:
    await pace.until(at)
    await asyncio.to_thread(issuer.rotate)


@dataclass(slots=True)
class _Sender:
    """The one mutable thing of a run, with its tally."""

    issuer: Issuer
    forger: Forger
    target: Target
    pace: Pace
    client: httpx.AsyncClient
    on_progress: Callable[[Tally], None]
    tally: Tally
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.target.connections)

    async def play(self, story: Story) -> None:
        used: dict[str, int] = {}
        for delivery in story.deliveries:
            await self.pace.until(delivery.at)
            if delivery.arrives:
                await self.deliver(story, delivery, used)
            else:
                used[delivery.event.event_id] = delivery.attempt
                self.tally.count_departure(delivery)
            self.tally.done += 1
            self.on_progress(self.tally)

    async def deliver(self, story: Story, delivery: Delivery, used: dict[str, int]) -> None:
        """Send until it is answered as it should be, or the event has no attempts left."""
        event_id = delivery.event.event_id
        first = max(delivery.attempt, used.get(event_id, 0) + 1)
        answer: Answer | None = None
        for attempt, pause in zip(range(first, ATTEMPTS + 1), (0.0, *RETRY_PAUSES), strict=False):
            used[event_id] = attempt
            await self.pace.pause(pause)
            self.tally.count_departure(delivery, again=answer is not None)
            answer = await self.post(story, delivery, attempt)
            self.tally.count_answer(answer)
            if not (answer.passing or (answer.refused and not delivery.forgery)):
                break
        if answer:
            self.tally.count_end(story, delivery, answer)

    async def post(self, story: Story, delivery: Delivery, attempt: int) -> Answer:
        await self.pace.turn()
        async with self.slots:
            token = self.token(story, delivery, attempt)
            try:
                response = await self.client.post(
                    self.target.url, content=token, headers={"Content-Type": "application/jwt"}
                )
            except httpx.RequestError as error:
                return Answer(None, type(error).__name__)
        return Answer(response.status_code, str(response.status_code), _disposition(response))

    def token(self, story: Story, delivery: Delivery, attempt: int) -> str:
        now = datetime.now(UTC)
        data = story.data(delivery.event, attempt, now - _SIGNED_AFTER)
        claims = self.issuer.claims(data, self.target.audience, now.timestamp())
        return self.forger.forge(claims, delivery.forgery) if delivery.forgery else self.issuer.sign(claims)


def _disposition(response: httpx.Response) -> str | None:
    """What the service says it made of the event, if it says it as ours does."""
    if response.status_code != HTTPStatus.OK:
        return None
    try:
        answer = response.json()
    except ValueError:
        return None
    disposition = answer.get("disposition") if isinstance(answer, dict) else None
    return disposition if isinstance(disposition, str) else None
