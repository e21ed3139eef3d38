"""What follows from an attempt: a decision, made purely and executed elsewhere.

`schedule` has the seconds before each attempt, and as many attempts as entries. Each wait is lengthened by up to a
tenth, so that callbacks which failed together do not come back together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

JITTER: Final = 0.1
LONGEST_PAUSE: Final = timedelta(days=1)


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, over.

    `not_before` is a receiver's plea (`Retry-After`): the next attempt waits at least that long, a day at most.
    `retry_in` is the subscriber's order (`RetryLater`): the next attempt is then, whatever the schedule says.
    `response` is what a receiver said, or its beginning; `receipt` what a delivery is to be found by on its side.
    """

    outcome: Outcome
    at: datetime
    duration_ms: int
    detail: str | None = None
    not_before: timedelta | None = None
    retry_in: timedelta | None = None
    response: str | None = field(default=None, repr=False)
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The subscriber has it."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The next attempt is due at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class Dead:
    """There is no next attempt, unless somebody asks for one."""


Verdict = Delivered | RetryAt | Dead


def pause(seconds: float, jitter: float) -> timedelta:
    """A wait of the schedule, lengthened; `jitter` is drawn from 0 to 1."""
    return timedelta(seconds=seconds * (1 + JITTER * jitter))


def judge(attempt: Attempt, schedule: Sequence[float], tries: int, now: datetime, jitter: float) -> Verdict:
    """Decide what follows; `tries` counts the failures of this schedule, the one at hand included."""
    if attempt.outcome is Outcome.DELIVERED:
        return Delivered()
    if attempt.outcome is Outcome.GAVE_UP or tries >= len(schedule):
        return Dead()
    if attempt.retry_in is not None:
        return RetryAt(now + attempt.retry_in)
    wait = max(pause(schedule[tries], jitter), min(attempt.not_before or timedelta(), LONGEST_PAUSE))
    return RetryAt(now + wait)
