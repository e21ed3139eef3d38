"""What is claimed in one transaction: for each subscriber as much as its slots, its rate and its health allow.

A probe is claimed under the lock of the endpoints' health, which is read again there: of nodes that find it due at the
same time, one sends it. Where nothing is due there is nothing to probe with, and the lock is left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from statekeeper.core.health import HEALTHY, Health, admit, is_probe_due
from statekeeper.store import health, outbox
from statekeeper.store.attempts import Claim


@dataclass(frozen=True, slots=True)
class Wish:
    """Up to so many callbacks of this subscriber, in each session's order if it is `ordered`."""

    subscriber: str
    slots: int
    guarded: bool
    ordered: bool


def claim_due(connection: Connection, wishes: Iterable[Wish], now: datetime, lease: timedelta) -> list[Claim]:
    """Claim what is due and may go out, for all of them."""
    wishes = list(wishes)
    due = outbox.due_among(connection, [wish.subscriber for wish in wishes], now)
    wishes = [wish for wish in wishes if wish.subscriber in due]
    ill = health.seen(connection) if any(each.guarded for each in wishes) else {}
    return [
        claim
        for wish in wishes
        for claim in _claim(
            connection, wish, ill.get(wish.subscriber, HEALTHY) if wish.guarded else HEALTHY, now, lease
        )
    ]


def _claim(connection: Connection, wish: Wish, found: Health, now: datetime, lease: timedelta) -> list[Claim]:
    if is_probe_due(found, now):
        found = health.read_locked(connection, wish.subscriber)
    slots, probed = admit(found, wish.slots, now, lease)
    if slots <= 0:
        return []
    claims = outbox.claim(connection, wish.subscriber, slots, now, lease, ordered=wish.ordered)
    if claims and probed is not None:
        health.save(connection, wish.subscriber, probed, now)
    return claims
