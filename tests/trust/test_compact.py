"""A token is taken apart strictly: whatever two readers could read differently is refused."""

import json

import pytest

from forge import assemble, b64, story, token
from statekeeper.core.errors import NotAToken
from statekeeper.trust.compact import read_object, read_token

GOOD = token(story()[0])
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


def read(header: bytes, payload: bytes):
    return read_token(f"{b64(header)}.{b64(payload)}.{SIGNATURE}".encode())


def test_a_token_comes_apart_into_what_was_signed():
    parts = read_token(GOOD.encode())
    assert parts.text == GOOD
    assert parts.header["alg"] == "RS256"
    assert parts.claims["data"]["eventName"] == "session.created"
    assert parts.signing_input == f"{HEADER}.{PAYLOAD}".encode()
    assert b64(parts.signature) == SIGNATURE


def test_white_space_around_it_is_trimmed():
    assert read_token(f" \r\n\t{GOOD}\n ".encode()).text == GOOD


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{}",
        HEADER,
        f"{HEADER}.{PAYLOAD}",
        f"{GOOD}.",
        f"{GOOD}.e30.e30",
        f".{GOOD}",
        "." * 60_000,
        f"{HEADER}. {PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE} x",
        f"{HEADER}\n.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}+",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}/",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}==",
        f"{HEADER}.{PAYLOAD}.=",
        f"{HEADER}.{PAYLOAD}.A",
        f"{HEADER}.{PAYLOAD}.QUJDR",
        f"{HEADER}.{PAYLOAD}.\x00\x00",
        f"{HEADER}.{PAYLOAD}.ÄÖ",
        "eyJ9.\ud83d\ude00.e30".encode("utf-16", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_not_three_base64url_parts_is_no_token(body):
    with pytest.raises(NotAToken):
        read_token(body.encode())


@pytest.mark.parametrize("part", ["QQ", "QUI"])
def test_stray_bits_after_the_last_byte_are_refused(part):
    read_token(f"{HEADER}.{PAYLOAD}.{part}".encode())
    with pytest.raises(NotAToken):
        read_token(f"{HEADER}.{PAYLOAD}.{part[:-1]}{chr(ord(part[-1]) + 1)}".encode())


def test_an_empty_signature_is_a_part_and_left_to_verification():
    assert read_token(f"{HEADER}.{PAYLOAD}.".encode()).signature == b""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"true",
        b"5",
        b'"text"',
        b"[]",
        b'[{"alg":"RS256"}]',
        b"{",
        b"{} {}",
        b"{'alg':'RS256'}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"tab\there"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"[" * 60_000,
    ],
    ids=lambda document: repr(document[:20]),
)
def test_a_part_that_is_no_json_object_makes_it_no_token(document):
    with pytest.raises(NotAToken):
        read(document, b"{}")
    with pytest.raises(NotAToken):
        read(b"{}", document)


@pytest.mark.parametrize(
    "document",
    [
        b'{"alg":"RS256","alg":"none"}',
        b'{"alg":"RS256","\\u0061lg":"RS256"}',
        b'{"data":{"eventId":"a","eventId":"b"}}',
        b'{"data":[{"payload":{"x":1,"x":1}}]}',
        b'{"":1,"":2}',
    ],
)
def test_a_name_given_twice_makes_it_no_token_however_deep_and_however_spelled(document):
    with pytest.raises(NotAToken, match="twice"):
        read(document, b"{}")
    with pytest.raises(NotAToken, match="twice"):
        read(b"{}", document)


def test_the_same_name_in_two_objects_is_no_repetition():
    assert read(b"{}", b'{"a":{"x":1},"b":{"x":2}}').claims == {"a": {"x": 1}, "b": {"x": 2}}


def test_an_unpaired_surrogate_as_an_escape_is_json():
    assert read(b"{}", rb'{"a":"\ud800"}').claims == {"a": "\ud800"}


def test_no_message_repeats_a_part_of_the_token():
    for body in (f"{HEADER}.!{PAYLOAD}.{SIGNATURE}", assemble(b'{"secret":1,"secret":2}', b"{}"), "secret.secret"):
        with pytest.raises(NotAToken) as refused:
            read_token(body.encode())
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_reading_an_object_tells_what_is_wrong_with_it():
    with pytest.raises(ValueError, match="not a JSON object"):
        read_object(b"[]")
    with pytest.raises(ValueError, match="too deeply"):
        read_object(b"[" * 60_000)
    assert read_object(json.dumps({"keys": []}).encode()) == {"keys": []}
