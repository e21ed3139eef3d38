import asyncio

import httpx
import pytest

from receiver import Answer, Receiver, receiving


async def test_a_request_is_recorded_as_it_came():
    async with Receiver() as receiver, httpx.AsyncClient() as client:
        answer = await client.post(receiver.url, content=b'{"a": 1}', headers={"X-Mark": "yes"})
        [request] = await receiver.wait_for(1)
    assert answer.status_code == 200
    assert (request.method, request.path, request.headers["x-mark"]) == ("POST", "/hook", "yes")
    assert request.json() == {"a": 1}


async def test_given_answers_come_first_and_in_order():
    answers = (Answer(503, {"retry-after": "7"}), Answer(410, body=b"gone"))
    async with Receiver(*answers) as receiver, httpx.AsyncClient() as client:
        seen = [await client.post(receiver.url, content=b"x") for _ in range(3)]
    assert [answer.status_code for answer in seen] == [503, 410, 200]
    assert seen[0].headers["retry-after"] == "7"
    assert seen[1].text == "gone"


async def test_an_answer_can_wait_for_an_event():
    release = asyncio.Event()
    async with Receiver(Answer(until=release)) as receiver, httpx.AsyncClient() as client:
        posting = asyncio.create_task(client.post(receiver.url, content=b"x"))
        await receiver.wait_for(1)
        assert not posting.done()
        release.set()
        assert (await posting).status_code == 200


async def test_a_connection_can_be_dropped():
    async with Receiver(Answer(drop=True)) as receiver, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(receiver.url, content=b"x")


async def test_what_does_not_come_is_a_timeout():
    async with Receiver() as receiver:
        with pytest.raises(TimeoutError):
            await receiver.wait_for(1, within=0.01)


async def test_a_receiver_that_closes_lets_go_of_a_hanging_request():
    async with httpx.AsyncClient() as client:
        async with Receiver(Answer(until=asyncio.Event())) as receiver:
            posting = asyncio.create_task(client.post(receiver.url, content=b"x"))
            await receiver.wait_for(1)
        with pytest.raises(httpx.TransportError):
            await posting


def test_without_a_loop_it_listens_in_a_thread():
    with receiving(otherwise=lambda request: Answer(body=request.body[::-1])) as receiver:
        assert httpx.post(receiver.url, content=b"abc").content == b"cba"
        assert [request.body for request in receiver.wait_for(1)] == [b"abc"]
        assert receiver.requests == receiver.wait_for(1)
