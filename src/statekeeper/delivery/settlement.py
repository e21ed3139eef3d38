"""What follows from an attempt that is over, all of it in one transaction.

The callback gets its verdict, an endpoint's health takes note, and those who ask for notices are owed what they are to
be told. A notice that is dead itself is told to nobody: else two endpoints that are ill would tell of each other for
ever. An attempt that was outrun, or is settled a second time since the answer to the first was lost, is not counted
again; but a delivery is one however late it comes, and what was parked behind its callback has its turn.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from statekeeper.core.health import DEFAULT_POLICY, Change, Disabled, HealthPolicy, Opened, Recovered
from statekeeper.core.notices import Notice, callback_dead, endpoint_disabled, endpoint_recovered
from statekeeper.core.retry import Attempt, Dead, Outcome, RetryAt, judge, pause
from statekeeper.core.subscribers import Subscriber
from statekeeper.store import health, notices, outbox, turns
from statekeeper.store.attempts import Claim

LEASE_MARGIN: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Policy:
    """When attempts are made, how long one may take, and what failures make of an endpoint.

    `jitter` is drawn from 0 to 1.
    """

    schedule: Sequence[float]
    timeout: float = 20
    jitter: Callable[[], float] = random.random
    health: HealthPolicy = DEFAULT_POLICY

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.timeout) + LEASE_MARGIN


@dataclass(frozen=True, slots=True)
class Settled:
    """What followed: whether the attempt still counted, whether it was the last, and the seconds until the next one.

    `change` is what became of the endpoint; `notices` is how many messages are owed in consequence.
    """

    counted: bool
    dead: bool = False
    wait: float | None = None
    change: Change | None = None
    notices: int = 0


def settle(
    connection: Connection,
    claim: Claim,
    attempt: Attempt,
    now: datetime,
    *,
    policy: Policy,
    guarded: bool,
    subscribers: Iterable[Subscriber],
) -> Settled:
    verdict = judge(attempt, policy.schedule, claim.tries + 1, now, policy.jitter())
    counted = outbox.settle(connection, claim, attempt, verdict, now)
    dead = isinstance(verdict, Dead)
    if attempt.outcome is Outcome.DELIVERED and attempt.at + policy.lease <= now:
        turns.release(connection, claim.session_id, claim.ordinal, claim.subscriber, now)
    told = guarded and (counted or attempt.outcome is Outcome.DELIVERED)
    change = health.observe(connection, claim.subscriber, attempt, now, policy.health) if told else None
    occasions = [*_of_callback(claim, attempt, now, dead=counted and dead), *_of_endpoint(claim, change, now)]
    due_at = now + pause(policy.schedule[0], policy.jitter()) if occasions else now
    owed = sum(notices.post(connection, each, subscribers, due_at, now) for each in occasions)
    wait = (verdict.due_at - now).total_seconds() if isinstance(verdict, RetryAt) else None
    return Settled(counted, dead, wait, change, owed)


def _of_callback(claim: Claim, attempt: Attempt, now: datetime, *, dead: bool) -> list[Notice]:
    if not dead or claim.is_notice:
        return []
    return [callback_dead(claim.callback_id, claim.session_id, claim.subscriber, claim.number, attempt.detail, now)]


def _of_endpoint(claim: Claim, change: Change | None, now: datetime) -> list[Notice]:
    match change:
        case Disabled(reason):
            return [endpoint_disabled(claim.subscriber, reason, now)]
        case Recovered(since):
            return [endpoint_recovered(claim.subscriber, since, now)]
        case Opened() | None:
            return []
