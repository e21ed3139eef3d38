"""What is believed: every claim, each alone, to the exact bound."""

import json

import pytest

from forge import ABSENT, AUDIENCE, ISSUER, assemble, claims_of, event, jwks, redelivered, signer, story, token
from statekeeper.core.errors import NotVerified
from statekeeper.core.events import read_event
from statekeeper.trust.keyset import parse_key_set
from statekeeper.trust.verification import WebhookPolicy, read_token, verify

NOW = 1_800_000_000
DATA = story(7, now=NOW)[1]
POLICY = WebhookPolicy(ISSUER, frozenset({AUDIENCE, "https://old.test/hook"}))
(KEY,) = parse_key_set(json.dumps(jwks())).keys


def judged(body, *, policy=POLICY, now=NOW):
    return verify(read_token(body.encode()), KEY, policy, now)


def why(body, *, policy=POLICY, now=NOW):
    with pytest.raises(NotVerified) as refused:
        judged(body, policy=policy, now=now)
    return refused.value.reason


def minted(data=DATA, **bent):
    return token(data, now=NOW, **bent)


def test_a_right_token_is_believed_and_its_claims_are_given():
    assert judged(minted()) == claims_of(DATA, NOW)
    assert judged(minted(redelivered(DATA)))["data"]["eventDeliverId"] == "2"


def test_the_vendors_own_example_is_believed():
    vendor = {
        "eventId": "61a51c5b-480d-4f47-8334-34b0ba7ae0be",
        "eventName": "session.completed",
        "eventVersion": "1.0",
        "eventSequence": "2",
        "eventDeliverId": "1",
        "createdAt": "2026-01-08T08:35:37.581Z",
        "environment": "staging",
        "payload": {
            "flowId": "bf8e2e27-2340-426f-a0bb-f1081e4a07ac",
            "sessionId": "fe1941c2-bc45-4142-b516-fa0fc9fd7754",
            "sessionStatus": "COMPLETED",
            "lastStepId": "END-ACCEPT",
            "lastStepType": "END",
            "lastStepStatus": "COMPLETED",
        },
    }
    policy = WebhookPolicy(
        "https://auth.dev1.platform.idnow.dev/oidc",
        frozenset({"https://webhook.site/d076d490-8424-4c85-8904-5d1801c7909e"}),
    )
    body = token(vendor, iss=policy.issuer, aud=next(iter(policy.audiences)), iat=1767861339, exp=1767864939)
    assert read_event(judged(body, policy=policy, now=1767861340)["data"]).name == "session.completed"


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub"])
def test_a_claim_that_is_missing_is_refused(claim):
    expected = {"iss": "issuer", "aud": "audience", "exp": "claims", "iat": "claims", "sub": "subject"}
    assert why(minted(**{claim: ABSENT})) == expected[claim]
    assert why(minted(**{claim: None})) == expected[claim]


@pytest.mark.parametrize(
    "issuer", ["", f"{ISSUER}/", ISSUER.upper(), f" {ISSUER}", ISSUER[:-1], [ISSUER], {"iss": ISSUER}, 5, True]
)
def test_the_issuer_is_compared_exactly(issuer):
    assert why(minted(iss=issuer)) == "issuer"


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["https://other.test", AUDIENCE], "https://old.test/hook"])
def test_any_accepted_audience_will_do_alone_or_in_a_list(audience):
    judged(minted(aud=audience))


@pytest.mark.parametrize(
    "audience",
    [
        "",
        "https://other.test",
        f"{AUDIENCE}/",
        [],
        ["https://other.test"],
        [AUDIENCE, 5],
        [[AUDIENCE]],
        {AUDIENCE: 1},
        5,
    ],
)
def test_another_audience_is_refused(audience):
    assert why(minted(aud=audience)) == "audience"


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [str(NOW), "", True, False, [NOW], {"at": NOW}, float("1e999"), -float("1e999")])
def test_a_time_that_is_no_number_is_refused(claim, value):
    payload = (
        json.dumps({**claims_of(DATA, NOW), claim: value}).replace("-Infinity", "-1e999").replace("Infinity", "1e999")
    )
    assert why(assemble(b'{"alg":"RS256","kid":"key-1"}', payload.encode())) == "claims"


def test_an_optional_time_that_is_null_is_refused():
    assert why(minted(nbf=None)) == "claims"


@pytest.mark.parametrize("large", [10**400, 10.5e300])
def test_a_time_beyond_all_reason_is_judged_and_not_stumbled_over(large):
    judged(minted(exp=large))
    assert why(minted(iat=large)) == "not_yet"
    assert why(minted(exp=-large)) == "expired"


def test_a_fraction_of_a_second_is_a_number():
    judged(minted(iat=NOW + 0.25, exp=NOW + 0.5, nbf=NOW - 0.5))


def test_exp_is_good_to_the_last_moment_of_the_leeway():
    judged(minted(exp=NOW - 60 + 0.001))
    assert why(minted(exp=NOW - 60)) == "expired"
    judged(minted(exp=NOW + 1), policy=WebhookPolicy(ISSUER, frozenset({AUDIENCE}), leeway=0))
    assert why(minted(exp=NOW), policy=WebhookPolicy(ISSUER, frozenset({AUDIENCE}), leeway=0)) == "expired"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_beginning_is_good_from_the_first_moment_of_the_leeway(claim):
    judged(minted(**{claim: NOW + 60}))
    assert why(minted(**{claim: NOW + 60.001})) == "not_yet"


def test_an_old_token_is_good_while_it_has_not_expired():
    judged(minted(iat=NOW - 10**9, nbf=NOW - 10**9))


@pytest.mark.parametrize(
    "subject", ["", "another", DATA["eventId"].upper(), f"{DATA['eventId']} ", 5, [DATA["eventId"]]]
)
def test_a_subject_that_is_not_the_events_id_is_refused(subject):
    assert why(minted(sub=subject)) == "subject"


@pytest.mark.parametrize("event_id", [ABSENT, None, "", 5, ["a"], {"a": 1}])
def test_a_missing_event_id_is_left_to_the_event_reader(event_id):
    data = {name: value for name, value in {**DATA, "eventId": event_id}.items() if value is not ABSENT}
    judged(minted(data, sub="anything"))
    for subject in (ABSENT, None, 5, [""]):
        assert why(minted(data, sub=subject)) == "subject"


@pytest.mark.parametrize("data", [ABSENT, None, [], "text", 5])
def test_data_that_is_no_object_is_left_to_the_event_reader(data):
    judged(minted(data, sub="anything"))


def test_claims_that_nobody_asked_for_are_no_harm():
    judged(minted(jti="x", azp="y", scope=["z"], role="admin"))


def test_every_refusal_names_the_key_of_the_set_and_no_value_of_the_token():
    for body in (minted(iss="https://evil.test"), minted(exp=1), minted(sub="evil"), minted(header={"alg": "evil"})):
        with pytest.raises(NotVerified) as refused:
            judged(body)
        assert refused.value.kid == "key-1"
        assert "evil" not in str(refused.value)


def test_reasons_are_few_and_known():
    bent = [
        minted(header={"crit": ["b64"]}),
        minted(header={"alg": "none"}),
        minted(header={"kid": 5}),
        minted(signer=signer("key-2")),
        minted(iss=""),
        minted(aud=""),
        minted(exp=""),
        minted(exp=0),
        minted(iat=NOW * 2),
        minted(sub=""),
    ]
    assert [why(body) for body in bent] == [
        "critical",
        "algorithm",
        "key",
        "signature",
        "issuer",
        "audience",
        "claims",
        "expired",
        "not_yet",
        "subject",
    ]


def test_a_key_that_does_not_fit_is_refused_whoever_chose_it():
    (other,) = parse_key_set(json.dumps({"keys": [signer().jwk(alg="PS256")]})).keys
    with pytest.raises(NotVerified) as refused:
        verify(read_token(minted().encode()), other, POLICY, NOW)
    assert refused.value.reason == "key"


def test_the_signature_is_asked_about_before_the_claims():
    assert why(minted(signer=signer("key-2"), iss="")) == "signature"


def test_a_late_session_event_of_any_name_is_believed():
    judged(minted(event("session.step_completed", 3, read_event(DATA).session_id)))
