"""All that is known of one session, as values: what the store remembers, and the circumstances that it is told in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from statekeeper.core.events import LastStep
from statekeeper.core.health import Health
from statekeeper.core.resequencer import missing
from statekeeper.core.statechart import Statechart


@dataclass(frozen=True, slots=True)
class Repeat:
    """One more delivery of an event that was taken already."""

    deliver_id: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event, with what finally became of it, every delivery, and the token and the key (a JWK) that prove it.

    `arrival` numbers the session's deliveries from 1.
    """

    arrival: int
    event_id: str
    name: str
    sequence: int
    disposition: str
    received_at: datetime
    flow_id: str | None = None
    environment: str | None = None
    session_status: str | None = None
    last_step: LastStep | None = None
    deliver_id: str | None = None
    sent_at: datetime | None = None
    repeats: tuple[Repeat, ...] = ()
    token: str = ""
    thumbprint: str = ""
    jwk: str | None = None


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One transition; an inferred one has no `event_id` and no `sequence` until a late event confirms it."""

    ordinal: int
    source: str
    target: str
    trigger: str
    cause: str
    at: datetime
    event_id: str | None = None
    sequence: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CaseAttempt:
    """One attempt at a callback, over. `outcome` is `delivered`, `failed` or `gave_up`."""

    number: int
    at: datetime
    duration_ms: int
    outcome: str
    detail: str | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class CaseCallback:
    """One callback, `pending`, `delivered` or `dead`; `then` is the `data` that it said, frozen at its step.

    `due_at` stands while it is pending, `claimed_at` while an attempt is under way, `buried_at` where it died with its
    subscriber.
    """

    callback_id: UUID
    subscriber: str
    ordinal: int
    state: str
    status: str
    created_at: datetime
    then: Mapping[str, Any] = field(default_factory=dict)
    attempts: tuple[CaseAttempt, ...] = ()
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    delivered_at: datetime | None = None
    receipt: str | None = None
    buried_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseAct:
    """What a person did: an entry of the audit trail."""

    entry_id: int
    at: datetime
    actor: str
    role: str
    via: str
    act: str
    origin: str | None = None
    callback_id: UUID | None = None
    reason: str | None = None
    effect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One session with everything that befell it, each kind in its own order.

    `healths` has the endpoints that ever failed; `up_since` is since when the service has listened.
    """

    session_id: UUID
    chart: Statechart
    state: str
    first_seen_at: datetime
    updated_at: datetime
    cursor: int = 0
    contiguous: bool = True
    contradicted: bool = False
    held: tuple[int, ...] = ()
    applied: tuple[int, ...] = ()
    given_up: tuple[int, ...] = ()
    inferred: tuple[str, ...] = ()
    flow_id: str | None = None
    environment: str | None = None
    last_step: LastStep | None = None
    ended_at: datetime | None = None
    held_since: datetime | None = None
    up_since: datetime | None = None
    events: tuple[CaseEvent, ...] = ()
    steps: tuple[CaseStep, ...] = ()
    callbacks: tuple[CaseCallback, ...] = ()
    acts: tuple[CaseAct, ...] = ()
    healths: Mapping[str, Health] = field(default_factory=dict)

    @property
    def terminal(self) -> bool:
        return self.chart.is_final(self.state)

    @property
    def missing(self) -> list[int]:
        """The numbers that those held wait for."""
        return missing(self.cursor, self.held)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, and by whose settings, it is told; `loaded` are the subscribers there are now, None if that is unknown."""

    now: datetime
    gap_timeout: timedelta
    loaded: Collection[str] | None = None
