"""What comes in as JSON is taken strictly, and refused by the name of what is wrong."""

from typing import Literal

import pytest
from litestar import Request

from statekeeper.api.bodies import LIMIT, Body, decode, read_json
from statekeeper.core.errors import BodyRefused, NotJson, TooLarge, UnsupportedMediaType

JSON = (b"content-type", b"application/json")


class Order(Body, frozen=True):
    item_name: str
    parts: tuple[int, ...] = ()
    kind: Literal["small", "large"] = "small"
    weight: float | None = None
    gift: bool = False


def asking(headers, *chunks):
    messages = [
        *({"type": "http.request", "body": each, "more_body": True} for each in chunks),
        {"type": "http.request"},
    ]

    async def receive():
        return messages.pop(0)

    return Request({"type": "http", "headers": headers}, receive)


async def test_a_body_comes_in_any_pieces():
    assert await read_json(asking([JSON], b'{"item', b'Name":"a"}'), Order) == Order("a")


@pytest.mark.parametrize("media", [b"application/merge-patch+json", b"Application/JSON; charset=utf-8"])
async def test_json_may_be_declared_in_these_ways(media):
    assert await read_json(asking([(b"content-type", media)], b'{"itemName":"a"}'), Order) == Order("a")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"text/plain")],
        [JSON, (b"content-type", b"text/html")],
        [JSON, (b"content-encoding", b"gzip")],
    ],
)
async def test_what_is_not_declared_as_plain_json_is_refused(headers):
    with pytest.raises(UnsupportedMediaType):
        await read_json(asking(headers, b'{"itemName":"a"}'), Order)


async def test_no_more_is_taken_in_than_the_limit():
    space = b" " * (LIMIT - 16)
    assert await read_json(asking([JSON], space, b'{"itemName":"a"}'), Order) == Order("a")
    with pytest.raises(TooLarge):
        await read_json(asking([JSON], space, b' {"itemName":"a"}'), Order)
    with pytest.raises(TooLarge):
        await read_json(asking([JSON, (b"content-length", b"%d" % (LIMIT + 1))]), Order)


async def test_the_body_of_somebody_who_went_away_is_none():
    async def leave():
        return {"type": "http.disconnect"}

    with pytest.raises(NotJson):
        await read_json(Request({"type": "http", "headers": [JSON]}, leave), Order)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"itemName":"\\ud800"}', b'{"itemName":"\xff"}'])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(NotJson):
        decode(body, Order)


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b"[]", "body", "expected object, got array"),
        (b"{}", "itemName", "is missing"),
        (b'{"item_name":"a"}', "item_name", "is no member of this"),
        (b'{"itemName":1}', "itemName", "expected string, got integer"),
        (b'{"itemName":"a","parts":[1,"secret"]}', "parts[1]", "expected integer, got string"),
        (b'{"itemName":"a","weight":true}', "weight", "expected number | null, got boolean"),
        (b'{"itemName":"a","gift":1.5}', "gift", "expected boolean, got number"),
        (b'{"itemName":"a","kind":"secret"}', "kind", "invalid enum value"),
    ],
)
def test_what_does_not_fit_is_named_by_its_field_and_not_by_its_value(body, field, detail):
    with pytest.raises(BodyRefused) as refused:
        decode(body, Order)
    assert [(fault.field, fault.detail) for fault in refused.value.faults] == [(field, detail)]
    assert "secret" not in str(refused.value)
