"""Whether an ID token may be believed: what it must say besides what every token must."""

import json

import pytest

import forge
from statekeeper.core.errors import NotVerified
from statekeeper.trust.identity import verify_identity
from statekeeper.trust.keys import parse_key
from statekeeper.trust.verification import WebhookPolicy, read_token

NOW = 1_767_861_337
POLICY = WebhookPolicy("https://id.example", frozenset({"console"}), ("RS256", "ES256"))
GOOD = {"iss": "https://id.example", "aud": "console", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 60}


def verify(**bent):
    signer = forge.signer()
    header, claims = ({"alg": "RS256", "kid": signer.kid}, without_none(GOOD | bent))
    token = read_token(forge.assemble(json.dumps(header).encode(), json.dumps(claims).encode(), signer).encode())
    return verify_identity(token, parse_key(signer.jwk()), POLICY, "n", NOW)


def without_none(claims):
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize(
    "bent", [{}, {"aud": ["console"]}, {"azp": "console"}, {"aud": ["console", "other"], "azp": "console"}]
)
def test_what_holds_is_believed(bent):
    assert verify(**bent)["sub"] == "1"


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"nonce": None}, "nonce"),
        ({"nonce": "m"}, "nonce"),
        ({"nonce": ["n"]}, "nonce"),
        ({"aud": ["console", "other"]}, "audience"),
        ({"azp": "other"}, "audience"),
        ({"azp": ["console"]}, "audience"),
        ({"sub": None}, "subject"),
        ({"sub": 1}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"iss": "https://id.example/"}, "issuer"),
        ({"exp": NOW - 60}, "expired"),
        ({"iat": NOW + 61}, "not_yet"),
    ],
)
def test_what_does_not_is_not(bent, reason):
    with pytest.raises(NotVerified) as caught:
        verify(**bent)
    assert caught.value.reason == reason
