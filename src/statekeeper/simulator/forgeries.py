"""The forger: makes of right claims a token that nobody may believe.

It knows what an attacker can know: the issuer's public keys, tokens that it has seen, and a key of its own. Where the
signature is right, a claim is not: such tokens are what one customer could take to another, or find in an old log.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from statekeeper.simulator.issuer import LIFETIME, Issuer, RsaKey
from statekeeper.simulator.stories import Forgery

_LONG_AGO: Final = 2 * LIFETIME


class Forger:
    """Forges tokens of one issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._own = RsaKey.generate()

    def forge(self, claims: Mapping[str, Any], forgery: Forgery) -> str:
        """The token with these claims, forged in this way."""
        kid = self._issuer.key.kid
        match forgery:
            case Forgery.WRONG_KEY:
                return self._sign(claims, {"kid": kid})
            case Forgery.EMBEDDED_KEY:
                return self._sign(claims, {"kid": kid, "jwk": {**self._own.jwk(), "kid": kid}})
            case Forgery.NO_SIGNATURE:
                return f"{_segment({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{_segment(claims)}."
            case Forgery.HMAC_BY_PUBLIC_KEY:
                return self._hmac_by_public_key(claims)
            case Forgery.TAMPERED:
                return self._tampered(claims)
            case _:
                return self._issuer.sign({**claims, **_bent(claims, forgery)})

    def _sign(self, claims: Mapping[str, Any], header: dict[str, Any]) -> str:
        return jwt.encode(dict(claims), self._own.private, algorithm="RS256", headers=header)

    def _hmac_by_public_key(self, claims: Mapping[str, Any]) -> str:
        """HS256 with the public key as the secret, by hand: PyJWT would not do it."""
        key = self._issuer.key
        pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        head = _segment({"alg": "HS256", "typ": "JWT", "kid": key.kid})
        signing_input = f"{head}.{_segment(claims)}"
        signature = base64url_encode(hmac.digest(pem, signing_input.encode(), hashlib.sha256)).decode()
        return f"{signing_input}.{signature}"

    def _tampered(self, claims: Mapping[str, Any]) -> str:
        """A right token whose payload is another one's."""
        head, _, signature = self._issuer.sign({**claims, "data": {}}).split(".")
        return f"{head}.{_segment(claims)}.{signature}"


def _bent(claims: Mapping[str, Any], forgery: Forgery) -> dict[str, Any]:
    """The claims of a token that the issuer did sign, and that is still not one to believe here and now."""
    return {
        Forgery.OTHER_AUDIENCE: {"aud": "https://somebody-else.example/webhooks/idnow"},
        Forgery.OTHER_ISSUER: {"iss": "https://issuer.example/oidc"},
        Forgery.OTHER_SUBJECT: {"sub": "00000000-0000-4000-8000-000000000000"},
        Forgery.EXPIRED: {"iat": claims["iat"] - _LONG_AGO, "exp": claims["exp"] - _LONG_AGO},
    }[forgery]


def _segment(value: Mapping[str, Any]) -> str:
    return base64url_encode(json.dumps(value, separators=(",", ":")).encode()).decode()
