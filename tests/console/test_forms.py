"""What a form sends, and where it may lead."""

from types import SimpleNamespace

import pytest
from litestar import Request

from statekeeper.console.forms import HOME, LIMIT, local_path, read_form
from statekeeper.core.errors import TooLarge


def posting(*chunks: bytes) -> Request:
    waiting = [{"type": "http.request", "body": each, "more_body": True} for each in chunks]

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.request", "body": b"", "more_body": False}

    handler = SimpleNamespace(resolve_request_max_body_size=lambda: None)
    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "route_handler": handler}, receive)


async def test_fields_are_read_from_however_many_pieces():
    assert await read_form(posting(b"a=1&rea", b"son=%C3%A4+b&empty=")) == {"a": "1", "reason": "ä b", "empty": ""}


async def test_what_is_no_form_and_no_text_is_no_fault():
    assert await read_form(posting(b"\xff\x00&=&%zz=%ff")) is not None


async def test_a_form_that_is_too_large_is_refused_before_it_is_read_to_its_end():
    with pytest.raises(TooLarge):
        await read_form(posting(*[b"x" * 1024] * 2 * (LIMIT // 1024)))


@pytest.mark.parametrize("path", ["/console", "/console/sessions?state=error&q=ab", "/console/sessions/1#event-2"])
def test_a_path_of_ours_is_gone_on_to(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "/v1/sessions",
        "https://evil.example/console",
        "//evil.example/console",
        "/\\evil.example/console",
        "/console\\@evil.example",
        "/console@evil.example",
        "/console.evil.example",
        "/console/\nlocation: //evil.example",
        "javascript:alert(1)//console",
        "\t//evil.example/console",
    ],
)
def test_nobody_is_led_away(path):
    assert local_path(path) == HOME
