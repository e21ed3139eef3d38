"""What is owed to whom, and what came of it."""

from uuid import UUID

from statekeeper.store.views.base import Instant, View


class AttemptView(View, frozen=True):
    """One attempt at a callback, over; `response` is what an endpoint answered, 4 KiB of it at most."""

    number: int
    at: Instant
    duration_ms: int
    outcome: str
    detail: str | None
    response: str | None


class CallbackView(View, frozen=True):
    """One callback owed to one subscriber; `receipt` is what it is to be found by on the subscriber's side."""

    callback_id: UUID
    subscriber: str
    state: str
    status: str
    receipt: str | None
    attempts: list[AttemptView]
    next_attempt_at: Instant | None


class SessionCallbackView(CallbackView, frozen=True):
    """A callback where it does not stand under its session."""

    session_id: UUID | None


class CallbackPage(View, frozen=True):
    """Some callbacks, the newest first."""

    items: list[SessionCallbackView]
    next_cursor: str | None


class RetryView(View, frozen=True):
    """A callback that somebody has asked to be sent again."""

    callback_id: UUID
    status: str
    next_attempt_at: Instant


class RetryPlanView(View, frozen=True):
    """What a retry would begin from: `status` and number of attempts as they are now. Nothing has been changed."""

    callback_id: UUID
    subscriber: str
    status: str
    attempts: int
    dry_run: bool
