"""Mints webhooks as the provider does, and as an attacker would.

`story(seed)` lists the `data` of one session's events, valid and in order, with the same ids for the same seed;
`token(data)` signs one into the compact JWT that is the request's body; `redelivered(data)` is the same event again.
`token(data, exp=ABSENT, header={"kid": "other"}, signer=signer("other"), now=…)` bends any part of it, and
`assemble(header, payload, signer)` signs bytes that are no JSON at all. Keys are made once a process: they are slow.
"""

import base64
import json
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import Algorithm, get_default_algorithms

ISSUER: Final = "https://auth.issuer.test/oidc"
AUDIENCE: Final = "https://statekeeper.test/webhooks/idnow"


class Absent(Enum):
    """A value that says: leave this claim or member out. It prints the same in every process, as test ids must."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

_ALGORITHMS: Final = get_default_algorithms()
_CURVES: Final = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@dataclass(frozen=True)
class Signer:
    """A private key with its name, and the algorithm it signs by."""

    kid: str
    algorithm: str
    private: Any

    def jwk(self, **members: Any) -> dict[str, Any]:
        """The public JWK as the issuer publishes it, with members replaced, added, or left out (`ABSENT`)."""
        public = self.scheme.to_jwk(self.private.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return _bent({**public, "kid": self.kid, "alg": self.algorithm, "use": "sig"}, members)

    @property
    def scheme(self) -> Algorithm:
        return _ALGORITHMS[self.algorithm]

    def sign(self, signing_input: bytes) -> bytes:
        return self.scheme.sign(signing_input, self.private)


@cache
def signer(kid: str = "key-1", algorithm: str = "RS256", bits: int = 2048) -> Signer:
    """The signer of this name: the same one each time it is asked for in this process."""
    return Signer(kid, algorithm, _private_key(algorithm, bits))


def _private_key(algorithm: str, bits: int) -> Any:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwks(*signers: Signer) -> dict[str, Any]:
    """The issuer's JWK Set: of the signer that `token` uses by default, or of those given."""
    return {"keys": [each.jwk() for each in signers or (signer(),)]}


def story(
    seed: int = 0, end: str = "completed", *, session_id: uuid.UUID | None = None, now: float | None = None
) -> list[dict[str, Any]]:
    """The events of one session in order: `session.created`, then `session.{end}` a minute later."""
    ids = random.Random(seed)
    session, start = session_id or _uuid4(ids), datetime.fromtimestamp(time.time() if now is None else now, UTC)
    created = event("session.created", 1, session, event_id=_uuid4(ids), created_at=start)
    ended = event(f"session.{end}", 2, session, event_id=_uuid4(ids), created_at=start + timedelta(minutes=1))
    return [created, ended]


def event(
    name: str,
    sequence: int,
    session_id: uuid.UUID,
    *,
    event_id: uuid.UUID | None = None,
    flow_id: uuid.UUID | None = None,
    environment: str = "staging",
    created_at: datetime | None = None,
) -> dict[str, Any]:
    """The `data` of one event as the provider's page shows it: every number and id is a string."""
    status = name.removeprefix("session.").upper()
    last_step = {} if status == "CREATED" else _END_STEP
    return {
        "eventId": str(event_id or uuid.uuid5(session_id, f"{name} {sequence}")),
        "eventName": name,
        "eventVersion": "1.0",
        "eventSequence": str(sequence),
        "eventDeliverId": "1",
        "createdAt": _stamp(created_at or datetime.now(UTC)),
        "environment": environment,
        "payload": {
            "flowId": str(flow_id or uuid.uuid5(uuid.NAMESPACE_URL, ISSUER)),
            "sessionId": str(session_id),
            "sessionStatus": status,
            **last_step,
        },
    }


_END_STEP: Final = {"lastStepId": "END-ACCEPT", "lastStepType": "END", "lastStepStatus": "COMPLETED"}


def redelivered(data: Mapping[str, Any], after: float = 30) -> dict[str, Any]:
    """The same event sent again: the next delivery id, a newer `createdAt`, the same facts."""
    sent = datetime.fromisoformat(data["createdAt"]) + timedelta(seconds=after)
    return {**data, "eventDeliverId": str(int(data["eventDeliverId"]) + 1), "createdAt": _stamp(sent)}


def claims_of(data: Any, now: float | None = None, **claims: Any) -> dict[str, Any]:
    """The claims around `data`, right in every way but for those given; `ABSENT` leaves one out."""
    issued = int(time.time() if now is None else now)
    subject = data.get("eventId", "no-event") if isinstance(data, Mapping) else "no-event"
    right = {"data": data, "iss": ISSUER, "iat": issued, "exp": issued + 3600, "sub": subject, "aud": AUDIENCE}
    return _bent(right, claims)


def token(
    data: Any,
    *,
    signer: Signer | None = None,
    header: Mapping[str, Any] | None = None,
    now: float | None = None,
    **claims: Any,
) -> str:
    """The webhook's body. Keyword arguments replace claims, `header` replaces members of the header."""
    signer = signer or _default()
    right = {"alg": signer.algorithm, "typ": "JWT", "kid": signer.kid}
    return assemble(_json(_bent(right, header or {})), _json(claims_of(data, now, **claims)), signer)


def assemble(header: bytes, payload: bytes, signer: Signer | None = None) -> str:
    """A compact JWS over exactly these bytes, signed whatever they say."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    return f"{signing_input}.{b64((signer or _default()).sign(signing_input.encode()))}"


def b64(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _default() -> Signer:
    return signer()


def _bent(right: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**right, **other}.items() if value is not ABSENT}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid4(ids: random.Random) -> uuid.UUID:
    return uuid.UUID(int=ids.getrandbits(128), version=4)
