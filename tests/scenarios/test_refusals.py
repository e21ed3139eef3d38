"""What is no webhook, through HTTP: bodies, sizes, media types, methods, and the order in which they are refused.

As with forgeries, `refused` sees to it that nothing changes and that no trace is left.
"""

import json
import time
from typing import Any

import pytest

import forge
from forge import ABSENT, signer, token
from traces import check_silence

DATA = forge.story(7)[1]
NOW = int(time.time())
ATTACKERS = signer("attacker")
LIMIT = 64 * 1024
HEADER = b'{"alg":"RS256","kid":"key-1"}'
CLAIMS = json.dumps(forge.claims_of(DATA)).encode()


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (b'{"alg":"none","alg":"RS256","kid":"key-1"}', CLAIMS),
        (HEADER, CLAIMS[:-1] + b',"iss":"https://evil.test"}'),
        (HEADER, CLAIMS.replace(b'"payload": {', b'"payload": {"sessionId": "other-one", ')),
        (HEADER, b"[" * 20_000),
        (HEADER, b'{"data":' * 5000 + b"1" + b"}" * 5000),
        (HEADER, b'{"exp": NaN}'),
        (HEADER, b'{"exp": ' + b"9" * 5000 + b"}"),
        (HEADER, b"null"),
        (HEADER, b'"claims-as-text"'),
        (HEADER, b"\xff\xfe{}"),
        (b"[]", CLAIMS),
        (b"", CLAIMS),
        (HEADER, b""),
    ],
    ids=range(13),
)
def test_what_two_readers_could_read_differently_is_no_token_even_if_signed(refused, header, claims):
    refused(400, forge.assemble(header, claims))


@pytest.mark.parametrize(
    "body",
    [
        "",
        " \r\n ",
        "nonsense",
        "{}",
        "a.b",
        "..",
        f"{token(DATA)}.AAAA",
        f"{token(DATA)}.AAAA.AAAA",
        f"Bearer {token(DATA)}",
        f"jwt={token(DATA)}",
        json.dumps({"jwt": token(DATA)}),
        token(DATA).replace(".", ". "),
        token(DATA) + "=",
        token(DATA) + "\x00",
        token(DATA)[:-2] + "+/",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"\xff" * 100,
    ],
    ids=range(17),
)
def test_what_is_no_compact_token_is_400(refused, body):
    refused(400, body)


def test_white_space_around_a_token_is_trimmed(attacked):
    answer = attacked.post(f" \r\n\t{token(forge.story(1)[1])}\n")
    assert answer.json()["disposition"] == "duplicate"


def padded(data: dict[str, Any], size: int) -> str:
    """A good token of exactly this many bytes: white space counts as well."""
    return token(data).ljust(size)


def test_the_bound_of_64_kib_is_exact(attacked, refused):
    assert attacked.post(padded(forge.story(1)[1], LIMIT)).json()["disposition"] == "duplicate"
    refused(413, padded(forge.story(1)[1], LIMIT + 1))
    refused(413, b"." * 5_000_000)


def test_a_body_without_a_declared_length_is_cut_off_at_the_bound(attacked):
    answer = attacked.http.post("/webhooks/idnow", content=(b"." * 1024 for _ in range(65)))
    assert answer.status_code == 413
    answer = attacked.http.post("/webhooks/idnow", content=iter([token(forge.story(1)[1]).encode()]))
    assert answer.json()["disposition"] == "duplicate"


@pytest.mark.parametrize(
    "kind", ["application/jwt", "Application/JWT; charset=UTF-8", "text/plain", "TEXT/PLAIN;charset=latin-1", ""]
)
def test_the_media_types_of_a_webhook_are_taken_in_any_spelling(attacked, kind):
    assert attacked.post(token(forge.story(1)[1]), **{"content-type": kind}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "application/jwt+json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jwt, application/json"},
        {"content-encoding": "gzip"},
        {"content-encoding": "identity, br"},
    ],
    ids=str,
)
def test_other_media_types_and_codings_are_415(refused, headers):
    refused(415, token(DATA), **headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_405(attacked, method):
    before = attacked.stored()
    answer = attacked.http.request(method, "/webhooks/idnow", content=token(DATA))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == "application/problem+json"
    assert attacked.stored() == before


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"eventId": ABSENT}, ["data.eventId"]),
        ({"eventId": "\x00-nul"}, ["data.eventId"]),
        ({"eventName": 5}, ["data.eventName"]),
        ({"eventName": "n" * 256}, ["data.eventName"]),
        ({"eventSequence": "0"}, ["data.eventSequence"]),
        ({"eventSequence": 10_000}, ["data.eventSequence"]),
        ({"eventSequence": "\u0662"}, ["data.eventSequence"]),
        ({"payload": []}, ["data.payload.sessionId"]),
        ({"payload": {"sessionId": "not-a-uuid"}}, ["data.payload.sessionId"]),
        ({"eventName": ABSENT, "payload": ABSENT}, ["data.eventName", "data.payload.sessionId"]),
    ],
    ids=str,
)
def test_what_is_verified_but_no_event_is_422_with_every_field_named(refused, changes, fields):
    data = {name: value for name, value in {**DATA, **changes}.items() if value is not ABSENT}
    subject = data.get("eventId", DATA["eventId"])
    answer = refused(422, token(data, sub=subject))
    assert [error["field"] for error in answer.json()["errors"]] == fields


@pytest.mark.parametrize("data", [ABSENT, None, [], "data-as-text", 4711], ids=str)
def test_data_that_is_no_object_is_422(refused, data):
    claims = {name: value for name, value in {**json.loads(CLAIMS), "data": data}.items() if value is not ABSENT}
    answer = refused(422, forge.assemble(HEADER, json.dumps(claims).encode()))
    assert [error["field"] for error in answer.json()["errors"]] == ["data"]


def test_a_different_sub_is_401_and_a_missing_event_id_is_422(refused):
    without = {name: value for name, value in DATA.items() if name != "eventId"}
    refused(401, token(DATA, sub="somebody-else"))
    refused(422, token(without, sub="somebody-else"))


def test_refusals_are_checked_in_the_order_of_the_contract(refused):
    """Each of these has all faults of those below it."""
    forged = token([], signer=ATTACKERS)
    refused(413, "!" * (LIMIT + 1), **{"content-type": "application/json"})
    refused(415, "!!!", **{"content-type": "application/json"})
    refused(400, forged + "!")
    refused(401, forged)
    refused(401, token([], exp=NOW - 3600))
    refused(422, token([]))


def test_while_the_keys_cannot_be_had_only_what_is_hopeless_is_refused_for_good(serving):
    service = serving(ready=False, idnow={"jwks_file": None, "jwks_url": "http://127.0.0.1:9/keys"})
    for hopeless in ({"header": {"alg": "none"}}, {"iss": "https://evil.test"}, {"exp": NOW - 3600}):
        assert service.post(token(DATA, **hopeless)).status_code == 401
    assert service.post("!!!").status_code == 400
    for body in (token(DATA), token([]), token(DATA, signer=ATTACKERS), token(DATA, sub="somebody-else")):
        answer = service.post(body)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert 1 <= int(answer.headers["retry-after"]) <= 10
        check_silence(answer.text + service.log.read_text(), body)
    ready = service.http.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["keys"]) == (503, False)
    assert service.sql("SELECT count(*) FROM sessions") == [(0,)]
