"""A stream ends with the sign-in of whoever it is sent to. Between two looks no time passes here."""

import asyncio
from typing import get_type_hints
from uuid import UUID

import pytest
from litestar.types import ASGIApp

from statekeeper.console import PAGES
from statekeeper.console.entrance.guard import Guard
from statekeeper.console.entrance.vigil import Vigil
from statekeeper.console.live import is_live
from visits import COOKIE, Person


async def stream(_scope, receive, send):
    """As all streams do: send something, and wait until the client has left."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


class Wire:
    """A client that stays, at the other end of a stream."""

    def __init__(self):
        self.sent = []
        self.begun, self.left = asyncio.Event(), asyncio.Event()

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        self.begun.set()


def asking(cookie):
    headers = [(b"host", b"console.example"), (b"accept", b"text/event-stream"), (b"cookie", cookie.encode())]
    return {
        "type": "http",
        "method": "GET",
        "path": "/console/live",
        "raw_path": b"/console/live",
        "query_string": b"",
        "headers": headers,
        "state": {},
    }


@pytest.fixture
async def service(serving, tokens):
    async with serving(tokens=tokens) as service:
        yield service


@pytest.fixture
async def person(service):
    async with Person(service) as person:
        await person.paste("token-of-a-reader")
        yield person


@pytest.fixture
async def open_stream(service, person):
    """Ask for a stream; returns its other end, and the task that ends with it."""
    reception = service.app.asgi_handler._app._reception
    wire = Wire()
    guard = Guard(stream, reception, pause=0)
    task = asyncio.ensure_future(guard(asking(f"{COOKIE}={person.cookies[COOKIE]}"), wire.receive, wire.send))
    await wire.begun.wait()
    yield wire, task
    wire.left.set()
    await task


async def test_a_stream_ends_when_its_visitor_signs_out(person, open_stream):
    wire, task = open_stream
    assert not task.done()
    await person.act("/console/sign-out")
    async with asyncio.timeout(10):
        await task
    assert wire.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_stream_ends_when_its_visitor_has_done_nothing_for_a_while(clock, open_stream):
    """To look whether they are there is not to be there."""
    _wire, task = open_stream
    clock.advance(1799)
    for _ in range(100):
        await asyncio.sleep(0)
    assert not task.done()
    clock.advance(1)
    async with asyncio.timeout(10):
        await task


async def test_a_stream_ends_however_much_its_visitor_sends():
    looks = iter([True, False])

    async def is_in():
        return next(looks)

    async def receive():
        return {"type": "http.request", "body": b".", "more_body": True}

    vigil = Vigil(receive, None, is_in, pause=0)
    assert [(await vigil.receive())["type"] for _ in range(2)] == ["http.request", "http.disconnect"]


async def test_a_page_that_asks_for_its_stream_again_keeps_nobody_signed_in(clock, person):
    clock.advance(1799)
    assert (await person.get(f"/console/sessions/{UUID(int=1)}/live")).status_code == 404
    clock.advance(1)
    assert (await person.get("/console/overview")).headers["location"].startswith("/console/sign-in")


def test_every_stream_of_the_console_is_known_by_its_address():
    streams = [each for each in PAGES if get_type_hints(each.fn).get("return") is ASGIApp]
    assert len(streams) == 4
    assert all(is_live(path) for each in streams for path in each.paths)


async def test_a_stream_goes_on_while_the_store_is_away(service, person, open_stream):
    wire, task = open_stream
    async with service.database.writer.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE sign_ins RENAME TO elsewhere")
    for _ in range(1000):
        await asyncio.sleep(0)
    assert not task.done()
    wire.left.set()
    await task
