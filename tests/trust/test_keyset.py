"""Which key a token asks for, and whether the issuer's set has it."""

import json

import pytest

from forge import ABSENT, jwks, signer, story, token
from statekeeper.core.errors import NotVerified
from statekeeper.trust.compact import read_token
from statekeeper.trust.keyset import parse_key_set

ONE, OTHER = signer(), signer("key-2")


def key_set(*keys):
    return parse_key_set(json.dumps({"keys": keys}))


def asking(by=ONE, **header):
    return read_token(token(story()[0], signer=by, header=header).encode())


def why(keys, asks):
    with pytest.raises(NotVerified) as refused:
        keys.find(asks)
    return refused.value.reason


def test_a_token_finds_the_key_it_names():
    keys = parse_key_set(json.dumps(jwks(ONE, OTHER)))
    assert keys.find(asking(ONE)).kid == "key-1"
    assert keys.find(asking(OTHER)).kid == "key-2"


def test_an_unknown_name_is_answered_with_none():
    assert key_set(ONE.jwk()).find(asking(kid="key-9")) is None
    assert key_set(ONE.jwk()).find(asking(kid="")) is None
    assert key_set().find(asking()) is None


def test_a_key_without_a_name_is_not_found_by_name():
    assert key_set(ONE.jwk(kid=ABSENT)).find(asking()) is None


def test_a_token_that_names_no_key_is_tried_if_exactly_one_fits():
    nameless = asking(kid=ABSENT)
    assert key_set(ONE.jwk()).find(nameless).verifies(nameless)
    assert key_set(ONE.jwk(kid=ABSENT)).find(nameless).verifies(nameless)
    assert key_set(ONE.jwk(), OTHER.jwk(alg="PS256")).find(nameless).kid == "key-1"


def test_a_token_that_names_no_key_is_refused_if_none_or_several_fit():
    nameless = asking(kid=ABSENT)
    assert why(key_set(), nameless) == "key"
    assert why(key_set(ONE.jwk(alg="PS256")), nameless) == "key"
    assert why(key_set(ONE.jwk(), OTHER.jwk()), nameless) == "key"


def test_a_named_key_that_does_not_fit_is_no_unknown_key():
    assert why(key_set(ONE.jwk(alg="PS256")), asking()) == "key"


@pytest.mark.parametrize(
    "jwk",
    [ONE.jwk(use="enc"), ONE.jwk(key_ops=["sign"]), ONE.jwk(d="AQAB"), signer("weak", bits=1024).jwk(kid="key-1")],
)
def test_a_refused_key_is_no_unknown_key(jwk):
    keys = key_set(jwk)
    assert keys.keys == ()
    assert why(keys, asking()) == "key"


def test_of_namesakes_the_one_that_signed_is_found():
    for order in ((ONE, OTHER), (OTHER, ONE)):
        keys = key_set(*(each.jwk(kid="same") for each in order))
        assert keys.find(asking(ONE, kid="same")).verifies(asking(ONE, kid="same"))


def test_of_namesakes_of_which_none_signed_one_is_found_and_will_say_no():
    keys = key_set(ONE.jwk(kid="same"), OTHER.jwk(kid="same"))
    forged = asking(signer("key-3"), kid="same")
    assert not keys.find(forged).verifies(forged)


def test_a_refused_namesake_does_not_hide_a_good_key():
    for keys in (key_set(ONE.jwk(use="enc"), ONE.jwk()), key_set(ONE.jwk(), ONE.jwk(use="enc"))):
        assert keys.find(asking()).kid == "key-1"


def test_refused_keys_are_counted_by_why():
    keys = key_set(ONE.jwk(use="enc"), OTHER.jwk(use="enc"), {"kty": "oct", "k": "AA"}, "no key")
    assert keys.refused == {"use": 2, "secret": 1, "malformed": 1}


@pytest.mark.parametrize(
    "document",
    ["", "[]", "{}", "null", '{"keys":{}}', '{"keys":null}', '{"keys":[],"keys":[]}', "<html>", "[" * 60_000],
    ids=lambda document: document[:20],
)
def test_what_is_no_jwk_set_is_refused(document):
    with pytest.raises(ValueError):
        parse_key_set(document)


def test_a_set_is_bounded():
    with pytest.raises(ValueError, match="100"):
        key_set(*[{}] * 101)
