"""How a session came to be what it is."""

from uuid import UUID

from statekeeper.store.views.base import Instant, View
from statekeeper.store.views.callbacks import CallbackView


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


class HistoryView(View, frozen=True):
    """All that is known of how a session came to be what it is."""

    session_id: UUID
    transitions: list[TransitionView]
    events: list[EventView]
    callbacks: list[CallbackView]
