"""What is made of what subscribers say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.retry import Outcome
from statekeeper.delivery.answers import DELIVERED, MAX_RECEIPT, Answer, as_receipt, delivered, find_receipt


@pytest.mark.parametrize("text", ["x", "case 4711", "Ü" * MAX_RECEIPT, "😀" * MAX_RECEIPT, "a\nb"])
def test_a_receipt_is_a_text_of_up_to_200_characters(text):
    assert find_receipt(json.dumps({"receipt": text}).encode()) == text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b'"case 4711"',
        b'["receipt"]',
        b"{}",
        b'{"Receipt": "case 4711"}',
        b'{"data": {"receipt": "case 4711"}}',
        b'{"receipt": null}',
        b'{"receipt": 4711}',
        b'{"receipt": ["case 4711"]}',
        b'{"receipt": ""}',
        b'{"receipt": "' + b"x" * (MAX_RECEIPT + 1) + b'"}',
        b'{"receipt": "a\\u0000b"}',
        b'{"receipt": "\\ud800"}',
        b'{"receipt": "\xff"}',
        b'{"receipt": "case 4711"',
        b'{"receipt": "case 4711"} and more',
        b"[" * 4096,
    ],
)
def test_anything_else_is_no_receipt_and_no_error(body):
    assert find_receipt(body) is None


@given(st.binary(max_size=64) | st.text(max_size=64).map(lambda text: json.dumps({"receipt": text}).encode()))
def test_a_receipt_can_always_be_stored(body):
    receipt = find_receipt(body)
    assert receipt is None or (0 < len(receipt) <= MAX_RECEIPT and "\0" not in receipt and receipt.encode())


@pytest.mark.parametrize("value", [None, 4711, b"case 4711", "", "x" * (MAX_RECEIPT + 1), "a\0b", "\ud800"])
def test_what_a_function_returns_is_a_receipt_or_nothing(value):
    assert as_receipt(value) is None
    assert delivered(value) is DELIVERED
    assert delivered("case 4711") == Answer(Outcome.DELIVERED, receipt="case 4711")


def test_a_kind_of_text_of_the_users_own_is_not_even_measured():
    class Text(str):
        __slots__ = ()

        def __len__(self):
            raise SystemExit

    assert delivered(Text("case 4711")) is DELIVERED


def test_a_response_is_not_shown_where_an_answer_is_written_down():
    answer = Answer(Outcome.FAILED, "HTTP 503", response="hidden")
    assert "hidden" not in repr(answer)
    assert "hidden" not in repr(answer.as_attempt(None, 7))
