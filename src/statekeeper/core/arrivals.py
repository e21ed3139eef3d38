"""An event with its proof, on its way in; and what its sender is told."""

from dataclasses import dataclass
from uuid import UUID

from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key that verified a token: its RFC 7638 thumbprint, and the JWK as canonical JSON (RFC 7517)."""

    thumbprint: str
    kid: str | None
    jwk: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One verified delivery. With the raw token and the key, anybody can verify it again years later."""

    event: SessionEvent
    token: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery, once it is on disk."""

    event_id: str
    session_id: UUID
    sequence: int
    disposition: Disposition
    state: str
