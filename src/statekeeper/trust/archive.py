"""An archived token, looked at again: what it says, and whether its signature is still by the key that was archived.

The claims' own limits (`iss`, `aud`, `exp`, `iat`) are not asked again: they were when the token came, and have passed
since by their nature. What cannot be read proves nothing, and is said to, never raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from statekeeper.core.errors import NotAToken
from statekeeper.trust.compact import Token, read_object, read_token
from statekeeper.trust.keys import KeyRefused, VerificationKey, parse_key


class Flaw(StrEnum):
    """Why an archived token proves nothing."""

    NOT_A_TOKEN = "not a token"  # noqa: S105 -- words, and no secret
    NO_KEY = "no key archived"
    UNFIT_KEY = "key unfit"
    WRONG_SIGNATURE = "signature wrong"


@dataclass(frozen=True, slots=True)
class Proof:
    """A token's header and claims, both empty where it is none, and whether it verifies; `detail` says why not."""

    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    detail: Flaw | None = None

    @property
    def verifies(self) -> bool:
        return self.detail is None


def examine(token: str, jwk: str | None) -> Proof:
    """Take an archived token apart, and check its signature with its archived key (a JWK)."""
    try:
        read = read_token(token.encode(errors="replace"))
    except NotAToken:
        return Proof(detail=Flaw.NOT_A_TOKEN)
    return Proof(read.header, read.claims, _flaw(read, jwk))


def _flaw(token: Token, jwk: str | None) -> Flaw | None:
    if not jwk:
        return Flaw.NO_KEY
    key, algorithm = _read_key(jwk), token.header.get("alg")
    if key is None or not isinstance(algorithm, str) or not key.fits(algorithm):
        return Flaw.UNFIT_KEY
    return None if key.verifies(token) else Flaw.WRONG_SIGNATURE


def _read_key(jwk: str) -> VerificationKey | None:
    try:
        return parse_key(read_object(jwk.encode(errors="replace")))
    except (KeyRefused, ValueError):
        return None
