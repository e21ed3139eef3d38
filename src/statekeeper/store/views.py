"""What a query shows: the contract's documents, as msgspec writes them in camelCase.

A view is made of strings and numbers that are ready to be shown: times are RFC 3339 with milliseconds and `Z`. The API
encodes it, the command line prints it, and the OpenAPI document describes it; nobody writes one of these shapes twice.
"""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class View(Struct, frozen=True, rename="camel"):
    """The base of all documents."""


class ChartView(View, frozen=True):
    """The chart that a session is pinned to."""

    id: str
    version: str


class LastStepView(View, frozen=True):
    """The last step that the customer's flow ran, as sent."""

    id: str | None
    type: str | None
    status: str | None


class SessionView(View, frozen=True):
    """One session as it stands."""

    session_id: UUID
    flow_id: str | None
    environment: str | None
    state: str
    terminal: bool
    cursor: int
    held: list[int]
    missing: list[int]
    contiguous: bool
    chart: ChartView
    last_step: LastStepView | None
    first_seen_at: Instant
    updated_at: Instant
    ended_at: Instant | None


class SessionPage(View, frozen=True):
    """Some sessions, the newest change first."""

    items: list[SessionView]
    next_cursor: str | None


class ReceiptView(View, frozen=True):
    """What became of a webhook, once it is on disk."""

    event_id: str
    session_id: UUID
    sequence: int
    disposition: str
    state: str


class TransitionView(View, frozen=True):
    """One step; an inferred one has no `event_id` and no `sequence` until a late event confirms it."""

    ordinal: int
    source: str
    target: str
    trigger: str
    cause: str
    event_id: str | None
    sequence: int | None
    at: Instant
    reason: str | None


class DeliveryView(View, frozen=True):
    """One arrival of an event."""

    deliver_id: str | None
    received_at: Instant


class EventView(View, frozen=True):
    """One event, with what finally became of it and every arrival of it."""

    event_id: str
    event_name: str
    sequence: int
    disposition: str
    session_status: str | None
    sent_at: Instant | None
    received_at: Instant
    deliveries: list[DeliveryView]


class AttemptView(View, frozen=True):
    """One attempt at a callback, over."""

    number: int
    at: Instant
    duration_ms: int
    outcome: str
    detail: str | None


class CallbackView(View, frozen=True):
    """One callback owed to one subscriber."""

    callback_id: UUID
    subscriber: str
    state: str
    status: str
    attempts: list[AttemptView]
    next_attempt_at: Instant | None


class SessionCallbackView(CallbackView, frozen=True):
    """A callback where it does not stand under its session."""

    session_id: UUID


class CallbackPage(View, frozen=True):
    """Some callbacks, the newest first."""

    items: list[SessionCallbackView]
    next_cursor: str | None


class RetryView(View, frozen=True):
    """A callback that somebody has asked to be sent again."""

    callback_id: UUID
    status: str
    next_attempt_at: Instant


class HistoryView(View, frozen=True):
    """All that is known of how a session came to be what it is."""

    session_id: UUID
    transitions: list[TransitionView]
    events: list[EventView]
    callbacks: list[CallbackView]


class FaultView(View, frozen=True):
    """What was wrong with one field."""

    field: str
    detail: str


class RefusalView(View, frozen=True):
    """A verified webhook that was no event, with the token that proves it: for the operator only."""

    at: Instant
    errors: list[FaultView]
    token: str
    key_thumbprint: str
