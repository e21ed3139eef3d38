"""What an archived token proves, long after it came."""

import json

import pytest

import forge
from statekeeper.trust.archive import Flaw, Proof, examine

EVENT = forge.story(now=1_000)[0]
TOKEN = forge.token(EVENT, now=1_000)
JWK = json.dumps(forge.signer().jwk())


def test_a_token_verifies_by_its_archived_key_whatever_has_expired_since():
    proof = examine(TOKEN, JWK)
    assert (proof.verifies, proof.detail) == (True, None)
    assert proof.header["alg"] == "RS256"
    assert proof.claims["data"] == EVENT


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA"])
def test_every_kind_of_key_can_prove(algorithm):
    signer = forge.signer("other", algorithm)
    assert examine(forge.token(EVENT, signer=signer), json.dumps(signer.jwk())).verifies


def test_claims_that_were_changed_are_shown_and_do_not_verify():
    header, _, signature = TOKEN.split(".")
    forged = forge.token({**EVENT, "eventName": "session.error"}, now=1_000).split(".")[1]
    proof = examine(f"{header}.{forged}.{signature}", JWK)
    assert (proof.verifies, proof.detail) == (False, Flaw.WRONG_SIGNATURE)
    assert proof.claims["data"]["eventName"] == "session.error"


def test_a_signature_of_another_length_is_wrong():
    assert examine(TOKEN[: TOKEN.rindex(".") + 5], JWK).detail is Flaw.WRONG_SIGNATURE


def test_another_key_of_the_same_kind_does_not_verify():
    assert examine(TOKEN, json.dumps(forge.signer("key-2").jwk())).detail is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize("jwk", [None, ""])
def test_without_an_archived_key_there_is_no_proof(jwk):
    proof = examine(TOKEN, jwk)
    assert (proof.verifies, proof.detail, proof.claims["data"]) == (False, Flaw.NO_KEY, EVENT)


@pytest.mark.parametrize(
    "jwk",
    [
        "no JSON",
        "[]",
        "[" * 100_000,
        "\ud800",
        '{"kty":"RSA"}',
        json.dumps(forge.signer("other", "ES256").jwk()),
        json.dumps(forge.signer().jwk(alg="RS512")),
        json.dumps(forge.signer().jwk(use="enc")),
    ],
    ids=["text", "list", "deep", "surrogate", "half", "other kind", "other algorithm", "other use"],
)
def test_a_key_that_cannot_have_signed_it_is_unfit(jwk):
    assert examine(TOKEN, jwk).detail is Flaw.UNFIT_KEY


@pytest.mark.parametrize("algorithm", [forge.ABSENT, None, 5, ["RS256"], "none", "HS256"])
def test_an_algorithm_that_no_key_has_is_no_proof(algorithm):
    assert examine(forge.token(EVENT, header={"alg": algorithm}), JWK).detail is Flaw.UNFIT_KEY


@pytest.mark.parametrize("token", ["", "a.b.c", "token", TOKEN + "=", "\ud800.\ud800.\ud800", "é.é.é"])
def test_what_is_no_token_says_nothing(token):
    assert examine(token, JWK) == Proof({}, {}, Flaw.NOT_A_TOKEN)
