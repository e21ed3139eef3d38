"""Whether an OpenID provider's word on who somebody is may be believed (OpenID Connect Core 1.0, section 3.1.3.7).

What holds for every token holds here as well, by the same checks: a signature by a key of the issuer, by an algorithm
with a key pair, `iss`, `aud`, `exp` and `iat`. Besides, the token answers this very sign-in (`nonce`) and was made for
this client (`azp`), and says who it is about (`sub`).
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from statekeeper.core.events import storable
from statekeeper.trust.compact import Token
from statekeeper.trust.keys import VerificationKey
from statekeeper.trust.verification import Doubt, WebhookPolicy, doubt_token

_NONCE: Final = Doubt("nonce", "`nonce` is missing or not that of this sign-in.")
_PARTY: Final = Doubt("audience", "`azp` is missing where there is more than one `aud`, or names another client.")
_SUBJECT: Final = Doubt("subject", "`sub` is missing or no text.")


def verify_identity(
    token: Token, key: VerificationKey, policy: WebhookPolicy, nonce: str, now: float
) -> Mapping[str, Any]:
    """The ID token's claims, to be believed; raises `NotVerified`. The policy's audience is the client's id."""
    doubt = (
        doubt_token(token, key, policy, now)
        or _doubt_nonce(token.claims, nonce)
        or _doubt_party(token.claims, policy.audiences)
        or (None if storable(token.claims.get("sub")) else _SUBJECT)
    )
    if doubt:
        raise doubt.refusal(key.kid)
    return token.claims


def _doubt_nonce(claims: Mapping[str, Any], nonce: str) -> Doubt | None:
    given = claims.get("nonce")
    same = isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), nonce.encode())
    return None if same else _NONCE


def _doubt_party(claims: Mapping[str, Any], clients: frozenset[str]) -> Doubt | None:
    audience, party = claims["aud"], claims.get("azp")
    if party is None:
        return _PARTY if isinstance(audience, list) and len(audience) > 1 else None
    return None if isinstance(party, str) and party in clients else _PARTY
