"""One attempt's way: send → judge → settle.

Sending is the only step that waits for strangers: it is bounded in time, and whatever it raises is a failed attempt.
Judging is pure. Settling goes through the writer and shares its commits; while the store is away an attempt that is
over waits to be settled, since to forget a delivery would mean to deliver again. If it cannot be settled at all, the
lease runs out and the next claim finds the attempt interrupted.

A subscriber may be gone by the time that its callback is to be sent: then there was no attempt, and the claim is given
back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from statekeeper import metrics
from statekeeper.core.errors import Unavailable
from statekeeper.core.health import Change, Disabled, Opened, Recovered
from statekeeper.core.instants import rfc3339
from statekeeper.core.retry import Attempt, Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.answers import TIMED_OUT, Answer, failed
from statekeeper.delivery.settlement import Policy, Settled, settle
from statekeeper.store import outbox
from statekeeper.store.attempts import Claim

FIRST_BACKOFF: Final = 0.1
LONGEST_BACKOFF: Final = 5.0
T = TypeVar("T")
log = structlog.get_logger()


class Sender(Protocol):
    """One subscriber's way out."""

    @property
    def slots(self) -> int:
        """How many attempts it takes at once, as things are."""
        ...

    @property
    def rate(self) -> float | None:
        """How many attempts a second it takes from one node; None if as many as there are."""
        ...

    @property
    def guarded(self) -> bool:
        """Whether its failures open a circuit: an endpoint's or a broker's do, a function's concern one session."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether callbacks of one session go out one behind the other."""
        ...

    async def send(self, claim: Claim) -> Answer:
        """Make one attempt; cancelled when its time is over."""
        ...


class Execute(Protocol):
    """`Writer.execute`: run a job in the next transaction, and return its value once that is on disk."""

    async def __call__(self, job: Callable[[Connection, datetime], T]) -> T: ...


class Courier:
    """Makes attempts that have been claimed."""

    def __init__(
        self,
        execute: Execute,
        senders: Mapping[str, Sender],
        policy: Policy,
        subscribers: Callable[[], Iterable[Subscriber]],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._execute = execute
        self._senders = senders
        self._policy = policy
        self._subscribers = subscribers
        self._sleep = sleep

    async def deliver(self, claim: Claim, at: datetime, answered: Callable[[], None]) -> Settled:
        """Make the attempt that was claimed `at` this time, and settle it; `answered` when it is over. Never raises."""
        began = time.monotonic()
        try:
            sender = self._senders.get(claim.subscriber)
            answer = await send_within(self._policy.timeout, sender, claim) if sender else None
        finally:
            answered()
        if answer is None:
            return await self._release(claim)
        attempt = answer.as_attempt(at, round((time.monotonic() - began) * 1000))
        try:
            settled = await self._settle(claim, attempt)
        except Exception:
            log.exception("callback_not_settled", **_named(claim))
            return Settled(counted=False)
        _report(claim, answer, settled)
        return settled

    async def _release(self, claim: Claim) -> Settled:
        """If the claim cannot be given back, its lease runs out."""
        try:
            await self._execute(lambda connection, now: outbox.release(connection, claim, now))
        except Exception:
            log.exception("callback_not_released", **_named(claim))
        return Settled(counted=False)

    async def _settle(self, claim: Claim, attempt: Attempt) -> Settled:
        """Settle, and go on trying while the store is away."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                return await self._execute(lambda connection, now: self._record(connection, claim, attempt, now))
            except Unavailable as error:
                log.warning("callback_waits_to_be_settled", reason=error.reason, **_named(claim))
                await self._sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)

    def _record(self, connection: Connection, claim: Claim, attempt: Attempt, now: datetime) -> Settled:
        sender = self._senders.get(claim.subscriber)
        guarded = sender is not None and sender.guarded
        subscribers = self._subscribers()
        return settle(connection, claim, attempt, now, policy=self._policy, guarded=guarded, subscribers=subscribers)


async def send_within(seconds: float, sender: Sender, claim: Claim) -> Answer:
    """Make one attempt, bounded in time; whatever the sender raises is a failed one."""
    try:
        async with asyncio.timeout(seconds):
            return await sender.send(claim)
    except TimeoutError:
        return TIMED_OUT
    except Exception as error:  # noqa: BLE001 -- a stranger's fault, whatever it is
        return failed(error)


def _report(claim: Claim, answer: Answer, settled: Settled) -> None:
    """Tell the operator, once it is on disk."""
    metrics.ATTEMPTS.labels(claim.subscriber, answer.outcome).inc()
    said = {**_named(claim), "outcome": str(answer.outcome), "detail": answer.detail}
    if not settled.counted:
        log.info("callback_attempt_outrun", **said)
    elif settled.dead:
        log.error("callback_dead", exc_info=answer.error, **said)
    elif answer.outcome is not Outcome.DELIVERED:
        log.warning("callback_failed", retry_in=settled.wait, exc_info=answer.error, **said)
    _report_change(claim.subscriber, settled.change)


def _report_change(endpoint: str, change: Change | None) -> None:
    match change:
        case Opened():
            metrics.CIRCUITS_OPENED.labels(endpoint).inc()
            log.warning("endpoint_circuit_opened", endpoint=endpoint)
        case Disabled(reason):
            log.error("endpoint_disabled", endpoint=endpoint, reason=reason)
        case Recovered(since):
            log.info("endpoint_recovered", endpoint=endpoint, since=since and rfc3339(since))
        case None:
            pass


def _named(claim: Claim) -> dict[str, object]:
    return {"subscriber": claim.subscriber, "callback_id": str(claim.callback_id), "number": claim.number}
