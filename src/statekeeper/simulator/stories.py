"""A day of sessions as data: what happens in each, how its webhooks travel, and what a service must make of it.

A story has its events, numbered as the sender numbers them, and the deliveries they travel by. Some deliveries never
arrive, some come twice, late or in the wrong order, some are forged. `Story.state_after` says where the session must be
once a service has had what was sent: at its end if the terminal event was sent at all, whatever became of the others.

Source: the provider's pages "Webhook events" (fields, at most three deliveries), "Configure webhooks" (order not
guaranteed) and "Sessions" (the life of a session).
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from statekeeper.core.instants import rfc3339

DAY: Final = 86_400.0
ATTEMPTS: Final = 3
"""How often an event is sent at most."""


class Fault(StrEnum):
    """What befalls a delivery."""

    NONE = "none"
    REORDERED = "reordered"
    """Overtaken by the next event."""
    DELAYED = "delayed"
    """Minutes to hours late."""
    REPEATED = "repeated"
    """Sent again although it had come: a new delivery id, newly signed."""
    DROPPED = "dropped"
    """This attempt is lost, a later one comes through."""
    LOST = "lost"
    """Every attempt is lost: the event is never seen."""
    FORGED = "forged"


class Forgery(StrEnum):
    """How a webhook is forged, or a right one misused; each must be answered 401."""

    WRONG_KEY = "wrong key under a known kid"
    EMBEDDED_KEY = "brings its own key"
    NO_SIGNATURE = "algorithm none"
    HMAC_BY_PUBLIC_KEY = "public key as HMAC secret"
    TAMPERED = "tampered payload"
    OTHER_AUDIENCE = "meant for somebody else"
    OTHER_ISSUER = "from another issuer"
    OTHER_SUBJECT = "another event's subject"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One event of a session, `at` seconds after the day began. `written` is its sequence number as it is sent."""

    event_id: str
    name: str
    sequence: int
    at: float
    status: str
    written: str | int
    last_step: Mapping[str, str] = field(default_factory=dict)
    step_at_top: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to bring an event to the service; `attempt` is its `eventDeliverId`."""

    at: float
    event: StoryEvent
    attempt: int = 1
    fault: Fault = Fault.NONE
    forgery: Forgery | None = None

    @property
    def arrives(self) -> bool:
        return self.fault not in {Fault.DROPPED, Fault.LOST}


@dataclass(frozen=True, slots=True)
class Story:
    """One session; without `events` it is nobody's session, which only a forger speaks of."""

    session_id: UUID
    flow_id: str
    environment: str
    end: str | None
    events: tuple[StoryEvent, ...]
    deliveries: tuple[Delivery, ...]

    @property
    def state(self) -> str | None:
        """Where the session must be in the end, if all that the plan sends is taken; None: the session is unknown."""
        plan = (delivery for delivery in self.deliveries if delivery.arrives and not delivery.forgery)
        return self.state_after({delivery.event.event_id for delivery in plan})

    def state_after(self, sent: Container[str]) -> str | None:
        """Where the session must be once the events of these ids have been taken, and every gap has been closed."""
        names = {event.name for event in self.events if event.event_id in sent}
        if f"session.{self.end}" in names:
            return self.end
        if "session.created" in names:
            return "created"
        return "pending" if names else None

    def data(self, event: StoryEvent, attempt: int, sent_at: datetime) -> dict[str, Any]:
        """The `data` of the webhook, with the fields and in the order of the provider's example."""
        step = dict(event.last_step)
        payload = {"flowId": self.flow_id, "sessionId": str(self.session_id), "sessionStatus": event.status}
        return {
            "eventId": event.event_id,
            "eventName": event.name,
            "eventVersion": "1.0",
            "eventSequence": event.written,
            "eventDeliverId": str(attempt),
            "createdAt": rfc3339(sent_at),
            "environment": self.environment,
            "payload": payload if event.step_at_top else payload | step,
        } | (step if event.step_at_top else {})


@dataclass(frozen=True, slots=True)
class Day:
    """A day's stories; at each of `rotations` the issuer begins to sign by a new key."""

    stories: tuple[Story, ...]
    rotations: tuple[float, ...] = ()

    @property
    def deliveries(self) -> int:
        return sum(len(story.deliveries) for story in self.stories)
