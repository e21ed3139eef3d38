from uuid import UUID

import httpx
import pytest

from statekeeper.demo.queries import list_sessions, read_histories

IDS = [UUID(int=number) for number in range(1, 21)]


def answer(request: httpx.Request) -> httpx.Response:
    query = request.url.params
    if request.url.path.endswith("/history"):
        return httpx.Response(200, json={"sessionId": request.url.path.split("/")[3]})
    assert (query["limit"], query["terminal"]) == ("200", "false")
    items = [{"sessionId": str(session_id)} for session_id in (IDS[10:] if "cursor" in query else IDS[:10])]
    return httpx.Response(200, json={"items": items, "nextCursor": None if "cursor" in query else "next"})


def client(handler=answer) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://service.test")


async def test_sessions_are_listed_page_by_page():
    async with client() as service:
        assert list(await list_sessions(service, terminal="false")) == IDS


async def test_every_history_is_read():
    async with client() as service:
        histories = {session_id: history async for session_id, history in read_histories(service, IDS)}
    assert histories == {session_id: {"sessionId": str(session_id)} for session_id in IDS}


async def test_a_refusal_is_an_error():
    async with client(lambda _: httpx.Response(500)) as service:
        with pytest.raises(httpx.HTTPStatusError):
            await list_sessions(service)
