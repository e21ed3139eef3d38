"""The feed over HTTP: pages that wait, consumers whose position is kept, and server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

import forge
from statekeeper.api import feed, streams
from statekeeper.api.streams import HEARTBEAT, Streams, place
from statekeeper.core.errors import Unavailable

FEED = "/v1/feed"
CRM = "/v1/feed/consumers/crm"


async def tell(http, seed=1, end="completed") -> str:
    """A whole session; returns its id."""
    for event in forge.story(seed, end):
        assert (await http.webhook(event)).status_code == 200
    return event["payload"]["sessionId"]


class TestPages:
    async def test_ends_come_behind_a_cursor_that_is_always_given(self, http):
        session = await tell(http)
        page = (await http.get(FEED)).json()
        (item,) = page["items"]
        assert (item["type"], item["sessionId"], item["position"]) == ("session.completed", session, "2")
        assert (item["sequences"], item["contiguous"], item["givenUp"]) == ([1, 2], True, [])
        assert page["nextCursor"] == "2"
        assert (await http.get(f"{FEED}?after=2")).json() == {"items": [], "nextCursor": "2"}

    async def test_the_same_page_is_the_same_bytes(self, http):
        await tell(http)
        asked = f"{FEED}?transitions=all"
        assert (await http.get(asked)).content == (await http.get(asked)).content

    async def test_every_step_is_shown_to_whoever_asks_for_all(self, http):
        await tell(http)
        created, completed = (await http.get(f"{FEED}?transitions=all")).json()["items"]
        assert (created["state"], completed["state"]) == ("created", "completed")
        assert "flowId" not in created
        assert completed["flowId"]

    async def test_filters_and_a_limit(self, http):
        for seed, end in enumerate(("completed", "expired", "expired"), 1):
            await tell(http, seed, end)
        assert len((await http.get(f"{FEED}?state=expired")).json()["items"]) == 2
        assert len((await http.get(f"{FEED}?state=expired&limit=1")).json()["items"]) == 1
        assert (await http.get(f"{FEED}?environment=gone")).json()["items"] == []

    @pytest.mark.parametrize(
        "query",
        [
            "after=1",
            "after=x",
            "after=",
            "after=-1",
            "limit=0",
            "limit=1001",
            "wait=61",
            "transitions=none",
            "state=gone",
            "transitions=all&environment=live",
            "transitions=all&flowId=x",
            "consumer=crm&after=0",
            "cursor=1",
        ],
    )
    async def test_what_is_wrong_is_400_and_named(self, http, query):
        answer = await http.get(f"{FEED}?{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")

    async def test_a_wait_is_answered_by_the_next_end(self, http):
        waiting = asyncio.create_task(http.get(f"{FEED}?wait=60"))
        session = await tell(http)
        assert [each["sessionId"] for each in (await waiting).json()["items"]] == [session]

    async def test_a_wait_that_is_over_is_answered_with_nothing(self, http):
        assert (await http.get(f"{FEED}?wait=0.01")).json() == {"items": [], "nextCursor": "0"}

    async def test_a_service_that_stops_answers_all_waits(self, service, http):
        waiting = [asyncio.create_task(http.get(f"{FEED}?wait=60")) for _ in range(3)]
        await asyncio.sleep(0)
        service.stop_waiting()
        assert [answer.json()["items"] for answer in await asyncio.gather(*waiting)] == [[], [], []]

    async def test_what_another_node_commits_ends_a_wait(self, serving, http, service):
        """It wakes nobody here: the head is looked at once a second, for all who wait."""
        waiting = asyncio.create_task(http.get(f"{FEED}?wait=60"))
        unheard, service.engine.watchers.notify = service.engine.watchers.notify, lambda _topics: None
        session = await tell(http)
        service.engine.watchers.notify = unheard
        assert [each["sessionId"] for each in (await waiting).json()["items"]] == [session]


class TestConsumers:
    async def test_one_is_made_read_behind_and_moved(self, http):
        session = await tell(http)
        made = await http.put(CRM, json={"position": "start"})
        assert (made.status_code, made.json()["position"], made.json()["lag"]) == (201, "0", 1)
        for _ in range(2):
            page = (await http.get(f"{FEED}?consumer=crm")).json()
            assert [each["sessionId"] for each in page["items"]] == [session]
        moved = await http.put(CRM, json={"position": page["nextCursor"], "expected": "0"})
        assert (moved.status_code, moved.json()["position"], moved.json()["lag"]) == (200, "2", 0)
        assert (await http.get(f"{FEED}?consumer=crm")).json()["items"] == []
        assert (await http.get("/v1/feed/consumers")).json() == {"items": [moved.json()], "head": "2"}
        assert (await http.get(CRM)).json()["name"] == "crm"

    async def test_its_kind_is_kept_with_it(self, http):
        await tell(http)
        await http.put(CRM, json={"position": "start", "transitions": "all"})
        assert len((await http.get(f"{FEED}?consumer=crm")).json()["items"]) == 2
        await http.put(CRM, json={"position": "end"})
        assert (await http.get(CRM)).json()["transitions"] == "all"

    async def test_one_is_forgotten(self, http):
        await http.put(CRM, json={"position": "end"})
        assert (await http.delete(CRM)).status_code == 204
        assert (await http.delete(CRM)).status_code == 404
        assert (await http.get(CRM)).status_code == 404
        assert (await http.get(f"{FEED}?consumer=crm")).status_code == 404

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"position": "9"}, 400),
            ({"position": "0", "expected": "0"}, 404),
            ({"position": 1}, 422),
            ({"position": "soon"}, 422),
            ({"position": "0", "expected": "x"}, 422),
            ({"position": "0", "transitions": "some"}, 422),
            ({"position": "0", "other": 1}, 422),
            ({}, 422),
        ],
    )
    async def test_what_cannot_be_is_refused(self, http, body, status):
        answer = await http.put(CRM, json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert (await http.get(CRM)).status_code == 404

    async def test_a_worker_that_was_slower_is_409(self, http):
        await tell(http)
        await http.put(CRM, json={"position": "end"})
        assert (await http.put(CRM, json={"position": "1", "expected": "0"})).status_code == 409

    async def test_a_name_that_cannot_be_stored_is_400(self, http):
        assert (await http.put(f"/v1/feed/consumers/{'x' * 256}", json={"position": "end"})).status_code == 400

    async def test_to_move_one_takes_support(self, guarded, bearer):
        body = {"position": "end"}
        assert (await guarded.put(CRM, json=body, headers=bearer("reader"))).status_code == 403
        assert (await guarded.put(CRM, json=body, headers=bearer("support"))).status_code == 201
        assert (await guarded.get(CRM, headers=bearer("reader"))).status_code == 200

    async def test_its_lag_is_a_figure(self, http):
        await tell(http)
        await http.put(CRM, json={"position": "start"})
        figures = (await http.get("/metrics")).text
        assert 'statekeeper_feed_consumer_lag{consumer="crm"} 1.0' in figures
        assert "statekeeper_feed_position 2.0" in figures


class Listener:
    """One client of a stream: what the app sends it, frame by frame."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self._frames.put_nowait(message.get("body", b""))

    def leave(self) -> None:
        self._gone.set()

    async def frame(self) -> str:
        async with asyncio.timeout(10):
            return (await self._frames.get()).decode()

    async def event(self) -> tuple[str, str, dict[str, Any]]:
        """The next event: its id, its type and its data; a frame that only moves the place is passed over."""
        while not (frame := await self.frame()).startswith("id: ") or "event: " not in frame:
            pass
        key, kind, data = frame.strip().split("\n")
        return key.removeprefix("id: "), kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def listening(service, path: str, query: str = "", **headers: str) -> AsyncIterator[Listener]:
    listener = Listener()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    task = asyncio.create_task(service.app(scope, listener.receive, listener.send))
    try:
        yield listener
    finally:
        listener.leave()
        async with asyncio.timeout(10):
            await task


def opened(service) -> Streams:
    return service.app.state.wiring.streams


class TestStreams:
    async def test_events_come_from_now_on(self, service, http):
        await tell(http, 1)
        async with listening(service, "/v1/feed/stream") as client:
            assert await client.frame() == "retry: 3000\nid: 2\n\n"
            session = await tell(http, 2)
            key, kind, item = await client.event()
            assert (key, kind, item["sessionId"]) == ("4", "session.completed", session)
            headers = dict(client.start["headers"])
            assert (client.start["status"], headers[b"content-type"]) == (200, b"text/event-stream")

    async def test_after_and_a_last_event_id_say_from_where(self, service, http):
        await tell(http)
        async with listening(service, "/v1/feed/stream", "after=0&transitions=all") as client:
            assert [(await client.event())[0] for _ in range(2)] == ["1", "2"]
        async with listening(service, "/v1/feed/stream", "after=0&transitions=all", last_event_id="1") as client:
            assert (await client.event())[0] == "2"

    @pytest.mark.parametrize(("query", "headers"), [("after=9", {}), ("", {"last_event_id": "x"}), ("x=1", {})])
    async def test_what_is_wrong_is_400(self, service, query, headers):
        async with listening(service, "/v1/feed/stream", query, **headers) as client:
            await client.frame()
        assert client.start["status"] == 400

    @pytest.mark.parametrize(
        ("query", "said", "field"),
        [("after=9", None, "after"), ("", "9", feed.LAST_EVENT_ID), ("after=0", "9", feed.LAST_EVENT_ID)],
    )
    async def test_a_place_beyond_the_head_is_refused_by_the_name_under_which_it_was_given(
        self, http, query, said, field
    ):
        answer = await http.get(f"/v1/feed/stream?{query}", headers={feed.LAST_EVENT_ID: said} if said else {})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)

    @pytest.mark.parametrize("said", ["x", "-1", "2147483648", "9" * 18])
    async def test_what_can_be_no_ordinal_is_refused_by_the_name_of_its_header(self, http, said):
        session = await tell(http)
        answer = await http.get(f"/v1/sessions/{session}/stream", headers={feed.LAST_EVENT_ID: said})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, feed.LAST_EVENT_ID)

    async def test_a_heartbeat_moves_the_place_past_what_is_not_wanted(self, service, http, monkeypatch):
        monkeypatch.setattr(feed, "HEARTBEAT_SECONDS", 0.01)
        async with listening(service, "/v1/feed/stream") as client:
            await client.frame()
            await http.webhook(forge.story(1)[0])
            while await client.frame() != place("1").decode():
                pass

    async def test_a_sessions_stream_ends_behind_its_end(self, service, http):
        created, completed = forge.story(1)
        await http.webhook(created)
        session = created["payload"]["sessionId"]
        async with listening(service, f"/v1/sessions/{session}/stream") as client:
            assert (await client.event())[:2] == ("1", "session.created")
            await http.webhook(completed)
            assert (await client.event())[:2] == ("2", "session.completed")
            assert await client.frame() == ""
        answer = await http.get(f"/v1/sessions/{session}/stream", headers={"Last-Event-ID": "2"})
        assert (answer.status_code, answer.content) == (204, b"")
        again = await http.get(f"/v1/sessions/{session}/stream", headers={"Last-Event-ID": "1"})
        assert "id: 2\nevent: session.completed" in again.text

    async def test_an_end_that_comes_between_two_reads_is_not_lost(self, http, monkeypatch):
        created, completed = forge.story(1)
        await http.webhook(created)
        has_ended = feed._has_ended

        async def ends_first(parts, session):
            await http.webhook(completed)
            return await has_ended(parts, session)

        monkeypatch.setattr(feed, "_has_ended", ends_first)
        answer = await http.get(
            f"/v1/sessions/{created['payload']['sessionId']}/stream", headers={"Last-Event-ID": "1"}
        )
        assert "event: session.completed" in answer.text

    async def test_a_sessions_stream_beats_while_nothing_happens(self, service, http, monkeypatch):
        monkeypatch.setattr(feed, "HEARTBEAT_SECONDS", 0.0)
        created, _ = forge.story(1)
        await http.webhook(created)
        async with listening(service, f"/v1/sessions/{created['payload']['sessionId']}/stream") as client:
            while await client.frame() != HEARTBEAT.decode():
                pass

    async def test_a_session_that_is_unknown_is_404(self, http):
        assert (await http.get(f"/v1/sessions/{UUID(int=1)}/stream")).status_code == 404
        assert (await http.get("/v1/sessions/1/stream")).status_code == 400

    async def test_a_client_that_leaves_frees_its_place(self, service, http):
        async with listening(service, "/v1/feed/stream") as client:
            await client.frame()
            assert opened(service).open == 1
        assert opened(service).open == 0

    async def test_there_are_so_many_streams_of_either_kind_and_no_more(self, service, http, monkeypatch):
        session = await tell(http)
        monkeypatch.setattr(opened(service), "_limit", 1)
        async with listening(service, "/v1/feed/stream") as client:
            await client.frame()
            answers = [await http.get(path) for path in ("/v1/feed/stream", f"/v1/sessions/{session}/stream")]
        for answer in answers:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    async def test_a_service_that_stops_ends_them_all(self, service):
        async with listening(service, "/v1/feed/stream") as client:
            await client.frame()
            service.stop_waiting()
            while await client.frame():
                pass

    async def test_a_service_that_stops_ends_a_sessions_stream_too(self, service, http):
        created, _ = forge.story(1)
        await http.webhook(created)
        async with listening(service, f"/v1/sessions/{created['payload']['sessionId']}/stream") as client:
            await client.event()
            service.stop_waiting()
            while await client.frame():
                pass
        assert opened(service).open == 0

    async def test_a_store_that_goes_away_interrupts_a_stream(self, service, http, monkeypatch):
        async with listening(service, "/v1/feed/stream") as client:
            await client.frame()

            async def away(*_question):
                raise Unavailable("The store does not answer.", reason="store")

            monkeypatch.setattr(service.app.state.wiring.tail, "_ask", away)
            monkeypatch.setattr(streams, "FAREWELL_SECONDS", 0.1)
            await tell(http)
            while await client.frame():
                pass
