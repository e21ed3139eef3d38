"""An endpoint's health, as a circuit: what its attempts tell of it, and how many more it may have.

closed      it takes all that its slots allow; a run of failures opens the circuit
open        it gets nothing until the pause is over, so that the callbacks that wait use up none of their attempts
half-open   one probe is under way: delivered, it closes the circuit; failed, the next pause is twice as long
disabled    it gets nothing until somebody enables it: it said 410, or has done nothing but fail for too long

A probe is leased, so that no second one goes out beside it, from this node or another, before that time has run out.
An attempt is known as the probe by the time of its claim: whatever else was under way when the circuit opened makes no
pause longer. What was claimed before somebody enabled the endpoint says nothing of the endpoint that was enabled, and
whatever comes in late changes nothing about one that is disabled.

Sources: M. Nygard, Release It!, "Circuit Breaker"; Standard Webhooks 1.0, "Disabling endpoints".
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from statekeeper.core.instants import rfc3339
from statekeeper.core.retry import Attempt, Outcome

LONGEST_PAUSE: Final = timedelta(minutes=10)
GONE: Final = "HTTP 410"


class State(StrEnum):
    """What an endpoint may be sent."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """How many failures in a row open the circuit, how long its first pause is, and when failing on disables."""

    failures: int = 20
    pause: timedelta = timedelta(seconds=5)
    disable_after: timedelta = timedelta(days=5)


DEFAULT_POLICY: Final = HealthPolicy()


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one endpoint.

    `failures` in a row, since `failing_since`. While the circuit is open, `probe_at` is when a probe may go out: after
    the pause or, with one under way that was claimed at `probed_at`, once its lease has run out. `pauses` counts the
    probes that failed. Attempts claimed before `enabled_at` count for nothing.
    """

    failures: int = 0
    failing_since: datetime | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probed_at: datetime | None = None
    pauses: int = 0
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    enabled_at: datetime | None = None

    @property
    def state(self) -> State:
        if self.disabled_at is not None:
            return State.DISABLED
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if self.probed_at is None else State.HALF_OPEN


HEALTHY: Final = Health()


@dataclass(frozen=True, slots=True)
class Opened:
    """The circuit was closed and is open."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """The endpoint gets nothing until somebody enables it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The circuit was open, after failures since then, and is closed."""

    since: datetime | None


Change = Opened | Disabled | Recovered


def observe(health: Health, attempt: Attempt, now: datetime, policy: HealthPolicy) -> tuple[Health, Change | None]:
    """What an attempt that is over makes of the endpoint's health, and what of it others must know."""
    if health.disabled_at is not None or (health.enabled_at is not None and attempt.at < health.enabled_at):
        return health, None
    match attempt.outcome:
        case Outcome.DELIVERED:
            return _succeed(health)
        case Outcome.FAILED:
            return _fail(health, attempt, now, policy)
    if attempt.detail == GONE:
        return disable(health, GONE, now), Disabled(GONE)
    return health, None  # one callback was given up on, which says nothing of the endpoint


def admit(health: Health, slots: int, now: datetime, lease: timedelta) -> tuple[int, Health | None]:
    """How many attempts may be claimed of so many; with a probe, the health that its claim must be saved with."""
    if health.state is State.CLOSED or slots <= 0:
        return slots, None
    if health.disabled_at is not None or not is_probe_due(health, now):
        return 0, None
    return 1, replace(health, probed_at=now, probe_at=now + lease)


def is_probe_due(health: Health, now: datetime) -> bool:
    """Whether the circuit is open, and its next probe may go out."""
    return health.disabled_at is None and health.probe_at is not None and health.probe_at <= now


def disable(health: Health, reason: str, now: datetime) -> Health:
    """Nothing goes out any more; since when it had failed is kept."""
    return replace(health, opened_at=None, probe_at=None, probed_at=None, disabled_at=now, disabled_reason=reason)


def enable(now: datetime) -> Health:
    """A circuit that is closed, whatever was before."""
    return Health(enabled_at=now)


def _succeed(health: Health) -> tuple[Health, Change | None]:
    healthy = Health(enabled_at=health.enabled_at)
    return healthy, None if health.opened_at is None else Recovered(health.failing_since)


def _fail(health: Health, attempt: Attempt, now: datetime, policy: HealthPolicy) -> tuple[Health, Change | None]:
    since = health.failing_since or now
    failing = replace(health, failures=health.failures + 1, failing_since=since)
    if failing.failures >= policy.failures and _is_hopeless(since, now, policy):
        reason = f"nothing but failures since {rfc3339(since)}"
        return disable(failing, reason, now), Disabled(reason)
    if failing.opened_at is None:
        return _open(failing, now, policy) if failing.failures >= policy.failures else (failing, None)
    if attempt.at == failing.probed_at:
        return _pause(replace(failing, pauses=failing.pauses + 1), now, policy), None
    return failing, None


def _is_hopeless(since: datetime, now: datetime, policy: HealthPolicy) -> bool:
    return bool(policy.disable_after) and since + policy.disable_after <= now


def _open(health: Health, now: datetime, policy: HealthPolicy) -> tuple[Health, Change | None]:
    return _pause(replace(health, opened_at=now), now, policy), Opened()


def _pause(health: Health, now: datetime, policy: HealthPolicy) -> Health:
    """No probe is under way; the next one waits, twice as long after each that failed."""
    factor = 2 ** min(health.pauses, 64)
    seconds = min(policy.pause.total_seconds() * factor, max(LONGEST_PAUSE, policy.pause).total_seconds())
    return replace(health, probe_at=now + timedelta(seconds=seconds), probed_at=None)
