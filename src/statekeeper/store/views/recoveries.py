"""Callbacks sent again or after the fact, many at once."""

from uuid import UUID

from statekeeper.store.views.base import Instant, View


class RecoveryPlanView(View, frozen=True):
    """What a recovery would come to. Nothing has been changed."""

    kind: str
    subscriber: str
    since: Instant
    until: Instant
    total: int
    dry_run: bool


class RecoveryView(View, frozen=True):
    """A recovery and how far it is: `total` as counted at its beginning, `done` what has been made due."""

    recovery_id: UUID
    kind: str
    subscriber: str
    since: Instant
    until: Instant
    total: int
    done: int
    created_at: Instant
    finished_at: Instant | None


class RecoveryPage(View, frozen=True):
    """Some recoveries, the newest first."""

    items: list[RecoveryView]
    next_cursor: str | None
