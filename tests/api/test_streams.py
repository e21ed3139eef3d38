"""Server-sent events as ASGI sees them: what ends a stream, and what it holds until then."""

import asyncio
from typing import Any

import pytest

from statekeeper.api import streams
from statekeeper.api.streams import Streams, beginning
from statekeeper.core.errors import Unavailable

PATIENCE = 10
END = {"type": "http.response.body", "body": b"", "more_body": False}


class Client:
    """Somebody at the other end, who takes what is sent while there is `room`, and leaves when told to."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.told = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        async with self.told:
            self.sent.append(message)
            self.told.notify_all()
        await self.room.wait()

    async def has(self, number: int) -> None:
        """Return once so many messages have come."""
        async with asyncio.timeout(PATIENCE), self.told:
            await self.told.wait_for(lambda: len(self.sent) >= number)

    @property
    def frames(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]


class Source:
    """Frames without end, one whenever it is told to go on; `closed` once nobody takes them any more."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.go_on = asyncio.Event()
        self.stopping = asyncio.Event()
        self.closed = False

    async def frames(self):
        try:
            yield beginning(7)
            await self.go_on.wait()
            if self.error:
                raise self.error
            while not self.stopping.is_set():
                yield b"data: 1\n\n"
        finally:
            self.closed = True

    async def stopped(self) -> None:
        await self.stopping.wait()


class Answer:
    """A stream of this source under way to this client."""

    def __init__(self, places: Streams, source: Source, client: Client, person: str = "") -> None:
        self.streams, self.source, self.client = places, source, client
        answer = places.answer(source.frames(), source.stopped, person)
        self.task = asyncio.ensure_future(answer({}, client.receive, client.send))

    async def over(self) -> None:
        await asyncio.wait_for(asyncio.shield(self.task), PATIENCE)
        self.check_let_go()

    def check_let_go(self) -> None:
        assert (self.streams.open, self.source.closed) == (0, True)


def answering(error: Exception | None = None) -> Answer:
    return Answer(Streams(), Source(error), Client())


async def test_the_first_frame_says_where_a_client_is_before_anything_happens():
    answer = answering()
    await answer.client.has(2)
    assert answer.client.sent[0]["status"] == 200
    assert dict(answer.client.sent[0]["headers"]) == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-store",
        b"x-accel-buffering": b"no",
    }
    assert answer.client.frames == [b"retry: 3000\nid: 7\n\n"]
    answer.client.left.set()
    await answer.over()


async def test_a_client_that_leaves_frees_its_place_and_the_source():
    answer = answering()
    await answer.client.has(2)
    assert answer.streams.open == 1
    answer.client.left.set()
    await answer.over()
    assert END not in answer.client.sent


async def test_no_frame_is_made_before_the_last_one_is_taken():
    """So a slow client costs no memory; and when it leaves in between, that ends the stream as well."""
    answer = answering()
    await answer.client.has(2)
    answer.client.room.clear()
    answer.source.go_on.set()
    await answer.client.has(3)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(answer.client.sent) == 3
    answer.client.left.set()
    await answer.over()


async def test_a_service_that_stops_lets_a_stream_end_properly():
    answer = answering()
    await answer.client.has(2)
    answer.source.stopping.set()
    for _ in range(10):
        await asyncio.sleep(0)
    answer.source.go_on.set()
    await answer.over()
    assert answer.client.sent[-1] == END


async def test_a_service_that_stops_waits_for_no_client_that_takes_nothing(monkeypatch):
    monkeypatch.setattr(streams, "FAREWELL_SECONDS", 0.01)
    answer = answering()
    answer.client.room.clear()
    await answer.client.has(1)
    answer.source.stopping.set()
    await asyncio.wait_for(answer.task, PATIENCE)
    assert answer.streams.open == 0


async def test_a_store_that_is_away_ends_a_stream_without_a_fault():
    answer = answering(Unavailable("Away.", reason="store"))
    answer.source.go_on.set()
    await answer.over()
    assert answer.client.sent[-1] == END


async def test_a_fault_of_ours_is_raised_and_frees_the_place():
    answer = answering(ZeroDivisionError())
    answer.source.go_on.set()
    with pytest.raises(ZeroDivisionError):
        await answer.task
    answer.check_let_go()


async def test_a_request_that_is_cancelled_frees_its_place():
    answer = answering()
    await answer.client.has(2)
    answer.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer.task
    answer.check_let_go()


async def test_one_person_has_room_for_so_many_and_leaves_some_to_others():
    places = Streams(limit_each=1)
    places.admit("rita")
    answer = Answer(places, Source(), Client(), "rita")
    await answer.client.has(1)
    with pytest.raises(Unavailable):
        places.admit("rita")
    places.admit("sam")
    answer.client.left.set()
    await answer.over()
    places.admit("rita")


async def test_there_is_room_for_so_many_and_again_once_one_has_gone():
    places = Streams(1)
    places.admit()
    answer = Answer(places, Source(), Client())
    await answer.client.has(1)
    with pytest.raises(Unavailable) as refused:
        places.admit()
    assert (refused.value.reason, refused.value.retry_after) == ("streams_full", 5)
    answer.client.left.set()
    await answer.over()
    places.admit()
