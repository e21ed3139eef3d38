import asyncio
import json
from http import HTTPStatus

import httpx
import pytest

from statekeeper.simulator.listener import Reply, bind, listen


async def ask(answer, method="POST", **request):
    """What a client gets from a listener that answers so."""
    with bind() as (bound, url):
        async with listen(bound, answer), httpx.AsyncClient(trust_env=False) as client:
            return await client.request(method, url, **request)


async def test_a_function_sees_the_request_and_its_document_is_the_answer():
    seen = []
    answer = await ask(
        lambda request: seen.append(request) or Reply(HTTPStatus.ACCEPTED, {"a": [1]}, {"X-B": "c"}),
        content=b"body",
        headers={"X-Mark": "yes"},
    )
    assert (seen[0].method, seen[0].path, seen[0].headers["x-mark"], seen[0].body) == ("POST", "/", "yes", b"body")
    assert (answer.status_code, answer.json(), answer.headers["x-b"]) == (202, {"a": [1]}, "c")


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.GONE])
async def test_without_a_document_there_is_no_body(status):
    answer = await ask(lambda _request: Reply(status))
    assert (answer.status_code, answer.content) == (status, b"")
    assert "content-type" not in answer.headers


async def test_an_answer_can_take_its_time():
    answer = await ask(lambda _request: Reply(document="late", after=0.01))
    assert json.loads(answer.content) == "late"


async def test_an_answer_can_fail_to_come():
    with pytest.raises(httpx.ReadTimeout):
        await ask(lambda _request: Reply(after=None), timeout=0.2)


async def test_who_waits_when_the_block_is_left_gets_no_answer():
    reached = asyncio.Event()

    def answer(_request):
        reached.set()
        return Reply(after=None)

    with bind() as (bound, url):
        async with httpx.AsyncClient(trust_env=False) as client:
            async with listen(bound, answer):
                waiting = asyncio.create_task(client.post(url))
                await reached.wait()
            with pytest.raises(httpx.RemoteProtocolError):
                await waiting


async def test_who_hangs_up_is_waited_for_no_longer():
    with bind() as (bound, url):
        async with listen(bound, lambda _request: Reply(after=None)):
            before = asyncio.all_tasks()
            reader, writer = await asyncio.open_connection("127.0.0.1", bound.getsockname()[1])
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\n\r\n")
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            assert url.endswith(str(bound.getsockname()[1]))
            assert asyncio.all_tasks() == before


def test_an_ipv6_host_stands_in_brackets():
    with bind(host="::1") as (bound, url):
        assert url == f"http://[::1]:{bound.getsockname()[1]}"
