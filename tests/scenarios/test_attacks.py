"""The attack battery through HTTP: forged signatures, keys and claims. Each has its exact status, changes nothing, and
leaves no trace.

One real service takes it all. After each attack neither the answer nor the log holds the token, a part of it or a value
from it, and the store holds what it held before; `refused` sees to that.
"""

import hashlib
import hmac
import json
import time
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import forge
from forge import ABSENT, b64, signer, token

DATA = forge.story(7)[1]
NOW = int(time.time())
ISSUERS, ATTACKERS, WEAK = signer(), signer("attacker"), signer("weak", bits=1024)
PUBLIC = ISSUERS.private.public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NONES = ["".join(letters) for letters in product("nN", "oO", "nN", "eE")]


def unsigned(header: dict[str, Any], signature: str = "") -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(forge.claims_of(DATA)).encode())}.{signature}"


@pytest.mark.parametrize("alg", [*NONES, "", "none ", None, 0, ["none"], ABSENT], ids=str)
def test_none_is_no_algorithm_however_it_is_spelled(refused, alg):
    header = {} if alg is ABSENT else {"alg": alg}
    for signature in ("", "AAAA"):
        refused(401, unsigned({**header, "kid": "key-1"}, signature))
    refused(401, token(DATA, header={"alg": alg}))


@pytest.mark.parametrize("secret", [PEM, PEM.strip(), json.dumps(ISSUERS.jwk()).encode(), b""], ids=range(4))
@pytest.mark.parametrize("bits", [256, 384, 512])
def test_the_public_key_is_no_shared_secret(refused, secret, bits):
    body = unsigned({"alg": f"HS{bits}", "kid": "key-1"}).rstrip(".")
    mac = hmac.new(secret, body.encode(), getattr(hashlib, f"sha{bits}")).digest()
    refused(401, f"{body}.{b64(mac)}")


@pytest.mark.parametrize("kid", ["key-1", "attacker", ABSENT], ids=str)
@pytest.mark.parametrize(
    "pointer",
    [
        {"jwk": ATTACKERS.jwk()},
        {"jku": "https://evil.test/keys"},
        {"x5c": ["MIIBIjANBgkq"]},
        {"x5u": "https://evil.test"},
    ],
    ids="".join,
)
def test_a_key_that_the_token_brings_along_is_not_used(refused, pointer, kid):
    refused(401, token(DATA, signer=ATTACKERS, header={**pointer, "kid": kid}))


@pytest.mark.parametrize(
    ("by", "header"),
    [
        (ATTACKERS, {"kid": "key-1"}),
        (ATTACKERS, {}),
        (ATTACKERS, {"kid": "../../../../dev/null"}),
        (ATTACKERS, {"kid": "' OR 1=1 --"}),
        (ATTACKERS, {"kid": "k" * 30_000}),
        (ISSUERS, {"kid": 17}),
        (ISSUERS, {"kid": ["key-1"]}),
        (ISSUERS, {"alg": "RS512"}),
        (ISSUERS, {"alg": "ES256"}),
        (ISSUERS, {"crit": ["exp"]}),
        (ISSUERS, {"crit": ["b64"], "b64": False}),
        (WEAK, {}),
        (signer("encrypting"), {}),
    ],
    ids=lambda part: part.kid if hasattr(part, "kid") else str(part)[:40],
)
def test_another_key_or_algorithm_than_the_issuers_is_refused(refused, by, header):
    refused(401, token(DATA, signer=by, header=header))


def test_every_part_is_sealed(refused):
    header, payload, signature = token(DATA).split(".")
    other = token(DATA, header={"typ": "at+jwt"}, jti="other-token").split(".")
    refused(401, f"{other[0]}.{payload}.{signature}")
    refused(401, f"{header}.{other[1]}.{signature}")
    refused(401, f"{header}.{payload}.{other[2]}")
    refused(401, f"{header}.{payload}.")
    refused(401, f"{header}.{payload}.{b64(bytes(256))}")
    refused(401, f"{header}.{payload}.{'B' + signature[1:] if signature[0] == 'A' else 'A' + signature[1:]}")


@pytest.mark.parametrize(
    "claims",
    [
        *({name: ABSENT} for name in ("iss", "aud", "exp", "iat", "sub")),
        *({name: None} for name in ("iss", "aud", "exp", "iat", "sub", "nbf")),
        {"iss": "https://evil.test"},
        {"iss": forge.ISSUER + "/"},
        {"iss": [forge.ISSUER]},
        {"aud": "https://evil.test"},
        {"aud": forge.AUDIENCE + "/"},
        {"aud": []},
        {"aud": {"0": forge.AUDIENCE}},
        {"exp": str(NOW + 3600)},
        {"exp": True},
        {"exp": NOW - 3600},
        {"exp": float("-1e308")},
        {"iat": str(NOW)},
        {"iat": NOW + 3600},
        {"iat": 10**400},
        {"nbf": NOW + 3600},
        {"nbf": "now"},
        {"sub": "somebody-else"},
        {"sub": 4711},
    ],
    ids=lambda claims: "-".join(f"{name} {type(value).__name__}" for name, value in claims.items()),  # without a time
)
def test_a_claim_that_is_missing_or_wrong_is_refused(refused, claims):
    refused(401, token(DATA, **claims))


@pytest.mark.parametrize("claims", [{"exp": -50}, {"iat": 50}, {"iat": 50, "nbf": 50}], ids=str)
def test_a_clock_that_is_off_by_less_than_the_leeway_is_forgiven(attacked, claims):
    shifted = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    assert attacked.post(token(forge.story(1)[1], **shifted)).json()["disposition"] == "duplicate"


@pytest.mark.parametrize("claims", [{"exp": -62}, {"iat": 90}, {"nbf": 90}], ids=str)
def test_a_clock_that_is_off_by_more_is_not(refused, claims):
    refused(401, token(DATA, **{name: int(time.time()) + seconds for name, seconds in claims.items()}))


def test_an_accepted_audience_may_be_one_of_several(attacked):
    answer = attacked.post(token(forge.story(1)[1], aud=["https://other.test", forge.AUDIENCE]))
    assert answer.json()["disposition"] == "duplicate"
