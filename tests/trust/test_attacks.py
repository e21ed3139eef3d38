"""Forgeries, each as an attacker would send it to a service that has the issuer's keys. None may be believed.

The way is the engine's: read, find the key, verify. An attack that needs a fetch finds an issuer that answers.
"""

import hashlib
import hmac
import json
from itertools import product

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from forge import ABSENT, AUDIENCE, ISSUER, assemble, b64, claims_of, jwks, signer, story, token
from statekeeper.core.errors import NotAToken, NotVerified, Unavailable
from statekeeper.trust.verification import WebhookPolicy, read_token, verify

DATA = story(3)[1]
ISSUERS, ATTACKERS = signer(), signer("attacker")
PUBLIC = ISSUERS.private.public_key()
EVERYTHING = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
NONES = ["".join(letters) for letters in product("nN", "oO", "nN", "eE")]


@pytest.fixture
def policy():
    return WebhookPolicy(ISSUER, frozenset({AUDIENCE}), algorithms=EVERYTHING)


@pytest.fixture
async def admit(open_keyring, issuer, policy, clock):
    """What the engine does with a body, up to the claims."""
    weak, encrypting = signer("weak", bits=1024), signer("encrypting").jwk(use="enc")
    issuer.publish({"keys": [*jwks(ISSUERS)["keys"], weak.jwk(), encrypting, signer("curve", "ES256").jwk()]})
    keyring = open_keyring()
    await keyring.key_for(read_token(token(DATA, now=clock.time).encode()))
    await clock.pass_by(60)

    async def admit_(body):
        read = read_token(body if isinstance(body, bytes) else body.encode())
        return verify(read, await keyring.key_for(read), policy, clock.time)

    return admit_


@pytest.fixture
def mint(clock):
    def mint_(**bent):
        return token(DATA, now=clock.time, **bent)

    return mint_


def unsigned(header, clock, signature=""):
    claims = json.dumps(claims_of(DATA, clock.time)).encode()
    return f"{b64(json.dumps(header).encode())}.{b64(claims)}.{signature}"


async def refused(admit, body):
    with pytest.raises((NotAToken, NotVerified)) as refusal:
        await admit(body)
    return refusal.value.reason


async def test_the_door_opens_for_the_issuer(admit, mint):
    assert (await admit(mint()))["data"] == DATA
    assert (await admit(mint(signer=signer("curve", "ES256"))))["data"] == DATA


@pytest.mark.parametrize("none", [*NONES, "", " none", "none ", "non\u0435", "null", None, False, 0, [], {}, ["none"]])
async def test_none_is_no_algorithm_however_spelled_with_or_without_a_signature(admit, mint, clock, none):
    for kid in ("key-1", "unknown", ABSENT):
        header = {name: value for name, value in {"alg": none, "kid": kid}.items() if value is not ABSENT}
        assert await refused(admit, unsigned(header, clock)) == "algorithm"
        assert await refused(admit, unsigned(header, clock, "AAAA")) == "algorithm"
        assert await refused(admit, mint(header={"alg": none, "kid": kid})) == "algorithm"


async def test_a_token_without_an_algorithm_is_refused(admit, mint):
    assert await refused(admit, mint(header={"alg": ABSENT})) == "algorithm"


@pytest.mark.parametrize("hashing", ["256", "384", "512"])
@pytest.mark.parametrize(
    "secret",
    [
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(ISSUERS.jwk()).encode(),
        ISSUERS.jwk()["n"].encode(),
        b"",
    ],
    ids=["pem", "pem stripped", "pkcs1", "der", "jwk", "modulus", "empty"],
)
async def test_the_public_key_is_no_shared_secret(admit, clock, hashing, secret):
    body = unsigned({"alg": f"HS{hashing}", "kid": "key-1"}, clock).rstrip(".")
    mac = hmac.new(secret, body.encode(), getattr(hashlib, f"sha{hashing}")).digest()
    assert await refused(admit, f"{body}.{b64(mac)}") == "algorithm"


@pytest.mark.parametrize("kid", ["key-1", "attacker", ABSENT])
@pytest.mark.parametrize(
    "pointer",
    [
        {"jwk": ATTACKERS.jwk()},
        {"jwk": ATTACKERS.jwk(kid="key-1")},
        {"jku": "https://evil.test/keys"},
        {"x5c": ["MIIB"]},
        {"x5u": "https://evil.test/certificate"},
        {"jwk": ATTACKERS.jwk(), "jku": "https://evil.test", "x5c": ["MIIB"], "x5u": "https://evil.test"},
    ],
    ids="+".join,
)
async def test_a_key_that_the_token_carries_or_points_to_is_not_followed(admit, issuer, mint, kid, pointer):
    assert await refused(admit, mint(signer=ATTACKERS, header={**pointer, "kid": kid})) in {
        "signature",
        "unknown_key",
        "key",
    }
    assert not any("evil" in address for address in issuer.asked)


async def test_another_key_under_a_known_name_is_refused(admit, mint):
    assert await refused(admit, mint(signer=ATTACKERS, header={"kid": "key-1"})) == "signature"


async def test_every_part_is_sealed(admit, mint):
    header, payload, signature = mint().split(".")
    other_header, other_payload, other_signature = mint(header={"typ": "jwt"}, jti="other").split(".")
    for body in (
        f"{other_header}.{payload}.{signature}",
        f"{header}.{other_payload}.{signature}",
        f"{header}.{payload}.{other_signature}",
    ):
        assert await refused(admit, body) == "signature"


@pytest.mark.parametrize("position", [0, 7, 100, 200, 255])
async def test_every_bit_of_the_signature_counts(admit, mint, position):
    body = mint()
    raw = bytearray(read_token(body.encode()).signature)
    raw[position] ^= 1
    assert await refused(admit, f"{body.rpartition('.')[0]}.{b64(bytes(raw))}") == "signature"


@pytest.mark.parametrize(
    "signature", ["", "AA", b64(bytes(256)), b64(b"\xff" * 256), b64(bytes(255)), b64(bytes(5000))]
)
async def test_an_invented_signature_is_refused(admit, mint, signature):
    for by in (ISSUERS, signer("curve", "ES256")):
        assert await refused(admit, f"{mint(signer=by).rpartition('.')[0]}.{signature}") == "signature"


async def test_an_empty_ecdsa_signature_of_zeros_is_refused(admit, mint):
    """CVE-2022-21449: r = s = 0 verified everything."""
    body = mint(signer=signer("curve", "ES256")).rpartition(".")[0]
    assert await refused(admit, f"{body}.{b64(bytes(64))}") == "signature"


async def test_a_signature_by_another_algorithm_than_the_keys_is_refused(admit, mint):
    pss = signer("pss", "PS256")
    body = assemble(
        json.dumps({"alg": "PS256", "kid": "key-1"}).encode(),
        b"{}",
        type(pss)("key-1", "PS256", ISSUERS.private),
    )
    assert await refused(admit, body) == "key"
    assert await refused(admit, mint(header={"alg": "PS256"})) == "key"
    assert await refused(admit, mint(header={"alg": "ES256"})) == "key"
    assert await refused(admit, mint(signer=signer("curve", "ES256"), header={"alg": "RS256"})) == "key"


async def test_a_key_that_is_weak_or_for_encryption_verifies_nothing(admit, mint):
    assert await refused(admit, mint(signer=signer("weak", bits=1024))) == "key"
    assert await refused(admit, mint(signer=signer("encrypting"))) == "key"


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None},
        {"crit": "b64"},
        {"b64": True},
        {"b64": False},
    ],
    ids=str,
)
async def test_an_extension_is_refused_even_signed_by_the_issuer(admit, mint, extension):
    assert await refused(admit, mint(header=extension)) == "critical"


async def test_a_detached_payload_is_refused(admit, clock):
    claims = json.dumps(claims_of(DATA, clock.time)).encode()
    header = b64(json.dumps({"alg": "RS256", "kid": "key-1", "b64": False, "crit": ["b64"]}).encode())
    signature = ISSUERS.sign(f"{header}.".encode() + claims)
    assert await refused(admit, f"{header}.{b64(claims)}.{b64(signature)}") == "critical"
    assert await refused(admit, f"{header}..{b64(signature)}") == "not_a_token"


@pytest.mark.parametrize("kid", [None, 1, True, ["key-1"], {"key-1": 1}])
async def test_a_name_that_is_no_text_is_refused(admit, mint, kid):
    assert await refused(admit, mint(header={"kid": kid})) == "key"


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", "key-1\x00", "KEY-1", "\ud800", "k" * 40_000])
async def test_a_name_is_nothing_but_a_name(admit, mint, kid):
    assert await refused(admit, mint(header={"kid": kid})) == "unknown_key"


async def test_a_name_given_twice_smuggles_nothing(admit, clock):
    claims = json.dumps(claims_of(DATA, clock.time))
    twice = f'{claims[:-1]},"iss":"{ISSUER}"}}'.encode()
    assert await refused(admit, assemble(b'{"alg":"RS256","kid":"key-1"}', twice)) == "not_a_token"
    header = b'{"alg":"none","alg":"RS256","kid":"key-1"}'
    assert await refused(admit, assemble(header, claims.encode())) == "not_a_token"


async def test_an_encrypted_token_is_no_token(admit, mint):
    assert await refused(admit, f"{mint()}.AAAA.AAAA") == "not_a_token"


async def test_a_token_for_another_time_issuer_or_audience_is_refused_though_signed(admit, mint, clock):
    assert await refused(admit, mint(iss="https://evil.test")) == "issuer"
    assert await refused(admit, mint(aud="https://evil.test")) == "audience"
    assert await refused(admit, mint(exp=clock.time - 61)) == "expired"
    assert await refused(admit, mint(iat=clock.time + 61)) == "not_yet"
    assert await refused(admit, mint(sub=story(4)[1]["eventId"])) == "subject"


async def test_an_invented_name_on_a_hopeless_token_does_not_bother_the_issuer(admit, issuer, mint, clock):
    asked = len(issuer.asked)
    for bent in ({"iss": "x"}, {"aud": "x"}, {"exp": clock.time - 60}, {"exp": "x"}, {"iss": ABSENT}):
        await refused(admit, mint(signer=ATTACKERS, **bent))
    for header in ({"alg": "none"}, {"crit": ["x"]}, {"kid": 5}):
        await refused(admit, mint(signer=ATTACKERS, header=header))
    assert len(issuer.asked) == asked


async def test_invented_names_cannot_make_the_keyring_ask_again_and_again(admit, issuer, mint):
    asked = len(issuer.asked)
    assert await refused(admit, mint(signer=ATTACKERS, header={"kid": "invented"})) == "unknown_key"
    for n in range(100):
        with pytest.raises(Unavailable):
            await admit(mint(signer=ATTACKERS, header={"kid": f"invented-{n}"}))
    assert len(issuer.asked) == asked + 1
