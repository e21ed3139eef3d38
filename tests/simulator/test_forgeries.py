import time

import jwt
import pytest

from statekeeper.simulator.forgeries import Forger
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.stories import Forgery

AUDIENCE = "https://statekeeper.test/webhooks/idnow"
DATA = {"eventId": "e1", "eventName": "session.completed"}
ISSUER = Issuer("https://issuer.test")
FORGER = Forger(ISSUER)
BY_CLAIM = {Forgery.OTHER_AUDIENCE, Forgery.OTHER_ISSUER, Forgery.OTHER_SUBJECT, Forgery.EXPIRED}


def forge(forgery: Forgery) -> str:
    return FORGER.forge(ISSUER.claims(DATA, AUDIENCE, time.time()), forgery)


def verify(token: str) -> dict:
    public = ISSUER.key.private.public_key()
    return jwt.decode(token, public, algorithms=["RS256"], issuer=ISSUER.url, audience=AUDIENCE, subject="e1")


def test_a_right_token_verifies():
    assert verify(ISSUER.sign(ISSUER.claims(DATA, AUDIENCE, time.time())))["data"] == DATA


@pytest.mark.parametrize("forgery", Forgery)
def test_no_forgery_verifies(forgery: Forgery):
    with pytest.raises(jwt.InvalidTokenError):
        verify(forge(forgery))


@pytest.mark.parametrize("forgery", Forgery)
def test_every_forgery_says_what_the_forger_wants_under_the_known_kid(forgery: Forgery):
    token = forge(forgery)
    assert jwt.get_unverified_header(token)["kid"] == ISSUER.key.kid
    assert jwt.decode(token, options={"verify_signature": False})["data"] == DATA


@pytest.mark.parametrize("forgery", sorted(BY_CLAIM))
def test_where_a_claim_is_wrong_the_signature_is_right(forgery: Forgery):
    only_signature = {"verify_exp": False, "verify_aud": False}
    jwt.decode(forge(forgery), ISSUER.key.private.public_key(), algorithms=["RS256"], options=only_signature)


@pytest.mark.parametrize("forgery", sorted(set(Forgery) - BY_CLAIM))
def test_where_the_claims_are_right_the_signature_is_wrong(forgery: Forgery):
    claims = jwt.decode(forge(forgery), options={"verify_signature": False})
    assert {claim: claims[claim] for claim in ("iss", "aud", "sub")} == {
        "iss": ISSUER.url,
        "aud": AUDIENCE,
        "sub": "e1",
    }
    with pytest.raises((jwt.InvalidSignatureError, jwt.InvalidAlgorithmError)):
        verify(forge(forgery))


def test_a_token_can_bring_the_key_that_it_verifies_by():
    token = forge(Forgery.EMBEDDED_KEY)
    own = jwt.PyJWK(jwt.get_unverified_header(token)["jwk"])
    assert jwt.decode(token, own, algorithms=["RS256"], audience=AUDIENCE)["data"] == DATA
