"""The policy that a token must satisfy before anything in it is believed (RFC 7519; RFC 8725 for the traps).

PyJWT checks the signature; the claims are checked here, since PyJWT takes `exp` as a string and `crit: ["b64"]`, and
this policy takes neither. Every check is a pure function that answers with a `Doubt` or with None, so that the keyring
can look at an unverified token's `iss`, `aud` and `exp` before it bothers the issuer. A time limit is exclusive: a
token is good while `now < exp + leeway`, and from `iat - leeway` on.

Header members that carry a key or point to one (`jwk`, `jku`, `x5c`, `x5u`) are nowhere read.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeGuard

from statekeeper.core.errors import NotVerified
from statekeeper.trust.compact import Token, read_token
from statekeeper.trust.keys import VerificationKey

__all__ = ["Doubt", "Token", "WebhookPolicy", "doubt_header", "doubt_origin", "doubt_token", "read_token", "verify"]


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """Whom we believe, as whom we are addressed, by which algorithms, and how far clocks may differ (seconds)."""

    issuer: str
    audiences: frozenset[str]
    algorithms: tuple[str, ...] = ("RS256",)
    leeway: float = 60


class Doubt(NamedTuple):
    """Why a token is not believed: a word for metrics, and a sentence for the sender that quotes nothing."""

    reason: str
    message: str

    def refusal(self, kid: str | None = None) -> NotVerified:
        return NotVerified(self.message, reason=self.reason, kid=kid)


_CRITICAL: Final = Doubt("critical", "The header asks for an extension (`crit` or `b64`).")
_ALGORITHM: Final = Doubt("algorithm", "The header's `alg` is missing or not allowed.")
_KID: Final = Doubt("key", "The header's `kid` is not a string.")
_UNFIT: Final = Doubt("key", "The key may not verify this algorithm.")
_SIGNATURE: Final = Doubt("signature", "The signature is not by a key of the issuer.")
_ISSUER: Final = Doubt("issuer", "`iss` is missing or not the issuer expected here.")
_AUDIENCE: Final = Doubt("audience", "`aud` is missing or does not name an audience expected here.")
_EXP: Final = Doubt("claims", "`exp` is missing or not a number.")
_EXPIRED: Final = Doubt("expired", "`exp` is in the past.")
_IAT: Final = Doubt("claims", "`iat` is missing or not a number.")
_NBF: Final = Doubt("claims", "`nbf` is not a number.")
_NOT_YET: Final = Doubt("not_yet", "`iat` or `nbf` is in the future.")
_SUBJECT: Final = Doubt("subject", "`sub` is missing or not the `eventId` of the data.")


def verify(token: Token, key: VerificationKey, policy: WebhookPolicy, now: float) -> Mapping[str, Any]:
    """The token's claims, to be believed; raises `NotVerified`. `now` is in seconds since the epoch."""
    doubt = doubt_token(token, key, policy, now) or _doubt_subject(token.claims)
    if doubt:
        raise doubt.refusal(key.kid)
    return token.claims


def doubt_token(token: Token, key: VerificationKey, policy: WebhookPolicy, now: float) -> Doubt | None:
    """What is wrong with any token, whatever it says: its header, its signature, by whom, for whom, and when."""
    return (
        doubt_header(token.header, policy)
        or _doubt_signature(token, key)
        or doubt_origin(token.claims, policy, now)
        or _doubt_beginning(token.claims, now + policy.leeway)
    )


def doubt_header(header: Mapping[str, Any], policy: WebhookPolicy) -> Doubt | None:
    """What is wrong with the header, whatever the key."""
    if "crit" in header or "b64" in header:
        return _CRITICAL
    if header.get("alg") not in policy.algorithms:
        return _ALGORITHM
    return None if isinstance(header.get("kid", ""), str) else _KID


def doubt_origin(claims: Mapping[str, Any], policy: WebhookPolicy, now: float) -> Doubt | None:
    """Whether the claims are by our issuer, for us, and still good; worth a look even before the signature."""
    if claims.get("iss") != policy.issuer:
        return _ISSUER
    if not _addresses(claims.get("aud"), policy.audiences):
        return _AUDIENCE
    expiry = claims.get("exp")
    if not _is_time(expiry):
        return _EXP
    return _EXPIRED if expiry <= now - policy.leeway else None


def _doubt_signature(token: Token, key: VerificationKey) -> Doubt | None:
    if not key.fits(token.header["alg"]):
        return _UNFIT
    return None if key.verifies(token) else _SIGNATURE


def _doubt_beginning(claims: Mapping[str, Any], latest: float) -> Doubt | None:
    issued = claims.get("iat")
    if not _is_time(issued):
        return _IAT
    beginning = claims.get("nbf", issued)
    if not _is_time(beginning):
        return _NBF
    return _NOT_YET if issued > latest or beginning > latest else None


def _doubt_subject(claims: Mapping[str, Any]) -> Doubt | None:
    """`sub` is a string and equals the event's id; whether there is such an id is the event reader's to say."""
    subject, data = claims.get("sub"), claims.get("data")
    event_id = data.get("eventId") if isinstance(data, Mapping) else None
    if not isinstance(subject, str):
        return _SUBJECT
    return _SUBJECT if isinstance(event_id, str) and event_id and subject != event_id else None


def _addresses(audience: object, accepted: frozenset[str]) -> bool:
    if isinstance(audience, str):
        return audience in accepted
    if not isinstance(audience, list) or not all(isinstance(each, str) for each in audience):
        return False
    return not accepted.isdisjoint(audience)


def _is_time(value: object) -> TypeGuard[float]:
    """A JSON number that is one: not a boolean, and not so large that it reads as infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
