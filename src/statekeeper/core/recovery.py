"""Recovery: callbacks to be sent again, or after the fact, many at once.

retry      what is dead of a subscriber's callbacks, created within a time
backfill   what a subscriber would have been told of sessions that ended within a time, had it been there

Both times are our own; `until` is fixed when a recovery begins, so that it ends.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from statekeeper.core.subscribers import Subscriber


class RecoveryKind(StrEnum):
    """What is done again."""

    RETRY = "retry"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be recovered, for whom: from `since` on, up to and without `until`."""

    kind: RecoveryKind
    subscriber: Subscriber
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RecoveryProgress:
    """How far it is, in callbacks: `total` as counted at the beginning, `made` by the portion at hand.

    Others may be quicker with some of them, so that `done` need not come to `total`.
    """

    done: int
    total: int
    finished: bool
    made: int = 0
