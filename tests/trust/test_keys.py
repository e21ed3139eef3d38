"""A JWK is read once: what it may verify, and how it is remembered."""

import json

import pytest

from forge import ABSENT, b64, signer, story, token
from statekeeper.trust.compact import read_token
from statekeeper.trust.keys import ALGORITHMS, KeyRefused, parse_key

# RFC 7638, section 3.1: the example key and its thumbprint.
RFC_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
RSA_FAMILY = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def why(jwk):
    with pytest.raises(KeyRefused) as refused:
        parse_key(jwk)
    return refused.value.why


def test_the_thumbprint_is_rfc_7638s():
    assert parse_key(RFC_KEY).signing_key.thumbprint == RFC_THUMBPRINT


def test_the_thumbprint_does_not_depend_on_how_the_key_is_spelled():
    padded = b64(b"\x00\x00" + int.from_bytes(_bytes(RFC_KEY["n"])).to_bytes(256))
    assert parse_key({**RFC_KEY, "n": padded}).signing_key.thumbprint == RFC_THUMBPRINT


def _bytes(text):
    return read_token(f"e30.e30.{text}".encode()).signature


def test_the_archived_jwk_is_canonical_and_verifies_by_itself():
    key = parse_key({**signer().jwk(), "x5c": ["…"], "unknown": 1})
    archived = json.loads(key.signing_key.jwk)
    assert set(archived) == {"alg", "e", "kid", "kty", "n", "use"}
    assert list(archived) == sorted(archived)
    assert " " not in key.signing_key.jwk
    assert parse_key(archived) == key
    assert parse_key(archived).verifies(read_token(token(story()[0]).encode()))


def test_a_key_without_alg_fits_all_that_its_type_allows():
    assert parse_key(signer().jwk(alg=ABSENT)).algorithms == RSA_FAMILY


def test_a_key_with_alg_fits_that_alone():
    key = parse_key(signer().jwk())
    assert not parse_key(signer().jwk(alg="PS256")).verifies(read_token(token(story()[0]).encode()))
    assert key.fits("RS256")
    assert not any(key.fits(name) for name in ALGORITHMS - {"RS256"})


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "EdDSA"])
def test_a_curve_fits_one_algorithm(algorithm):
    by = signer("curve", algorithm)
    key = parse_key(by.jwk(alg=ABSENT))
    assert key.algorithms == {algorithm}
    assert key.verifies(read_token(token(story()[0], signer=by).encode()))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_verifies_what_it_signed_and_nothing_else(algorithm):
    by = signer("each", algorithm)
    key = parse_key(by.jwk())
    assert key.verifies(read_token(token(story()[0], signer=by).encode()))
    forged = token(story()[0], signer=signer("another", algorithm))
    assert not key.verifies(read_token(forged.encode()))
    header, payload, _ = forged.split(".")
    assert not key.verifies(read_token(f"{header}.{payload}.".encode()))
    assert not key.verifies(read_token(f"{header}.{payload}.{b64(bytes(64))}".encode()))


def test_no_algorithm_is_symmetric():
    assert all(not name.startswith("HS") and name.lower() != "none" for name in ALGORITHMS)


@pytest.mark.parametrize("jwk", [None, [], "key", 5, {}, {"kty": None}, {"kty": ["RSA"]}, {"kty": "DSA"}])
def test_what_is_no_key_is_refused(jwk):
    assert why(jwk) in {"malformed", "algorithm"}


@pytest.mark.parametrize("kid", [5, True, ["key-1"], {"a": 1}, "\x00", "\ud800", "k" * 256])
def test_a_name_that_is_no_storable_text_is_refused(kid):
    assert why(signer().jwk(kid=kid)) == "malformed"


@pytest.mark.parametrize(
    "bent",
    [
        {"n": ABSENT},
        {"e": ABSENT},
        {"n": 5},
        {"n": None},
        {"n": ""},
        {"e": ""},
        {"e": "AQ"},
        {"e": "AA"},
        {"n": "A"},
        {"n": ["AQAB"]},
    ],
    ids=repr,
)
def test_numbers_that_are_no_rsa_key_are_refused(bent):
    assert why(signer().jwk(**bent)) == "malformed"


@pytest.mark.parametrize("bent", [{"x": "AAAA"}, {"y": ABSENT}, {"x": b64(bytes(32))}, {"x": 5}], ids=repr)
def test_a_point_that_is_not_on_the_curve_is_refused(bent):
    assert why(signer("curve", "ES256").jwk(**bent)) == "malformed"


@pytest.mark.parametrize("curve", [ABSENT, "P-521", "secp256k1", "P-192", 256, "Ed25519"], ids=repr)
def test_a_curve_that_fits_no_allowed_algorithm_or_not_its_alg_is_refused(curve):
    assert why(signer("curve", "ES256").jwk(crv=curve)) == "algorithm"


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "RSA-OAEP", "rs256", "", None, 256, ["RS256"]], ids=repr)
def test_an_alg_that_does_not_fit_the_type_is_refused(alg):
    assert why(signer().jwk(alg=alg)) == "algorithm"


@pytest.mark.parametrize("use", ["enc", "SIG", "", None, ["sig"]], ids=repr)
def test_a_use_that_is_not_signing_is_refused(use):
    assert why(signer().jwk(use=use)) == "use"


@pytest.mark.parametrize("operations", [[], ["sign"], ["encrypt", "wrapKey"], "verify", None, {"verify": 1}], ids=repr)
def test_operations_without_verify_are_refused(operations):
    assert why(signer().jwk(key_ops=operations)) == "key_ops"


def test_operations_with_verify_and_no_use_are_taken():
    assert parse_key(signer().jwk(key_ops=["verify"], use=ABSENT)).kid == "key-1"


def test_an_rsa_key_of_less_than_2048_bits_is_refused():
    assert why(signer("weak", bits=1024).jwk()) == "size"
    assert why(signer("nearly", bits=2040).jwk()) == "size"


def test_an_rsa_key_beyond_what_openssl_checks_is_refused():
    assert why(signer().jwk(n=b64(b"\xff" * 2049))) == "size"


def test_a_symmetric_key_is_refused():
    assert why({"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"}) == "secret"


def test_a_private_key_in_a_public_document_is_refused():
    private = signer().scheme.to_jwk(signer().private, as_dict=True)
    assert why({**private, "key_ops": ["verify"]}) == "secret"
    assert why(signer().jwk(d="AQAB")) == "secret"


def test_a_refusal_remembers_the_name_and_shows_no_part_of_the_key():
    with pytest.raises(KeyRefused) as refused:
        parse_key(signer("weak", bits=1024).jwk())
    assert refused.value.kid == "weak"
    assert str(refused.value) == "size"


def test_a_key_shows_no_key_object_when_printed():
    assert "object at" not in repr(parse_key(signer().jwk()))
