"""Redis, on the real server: an entry of a stream, and what is no delivery."""

import asyncio
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from brokers import Detour, claim, need, sender
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.retry import Outcome

URL = "redis://127.0.0.1:6379"


@pytest.fixture
async def redis():
    need("Redis", 6379)
    async with Redis() as client:
        yield client


@pytest.fixture
async def key(redis):
    """A key of the test's own."""
    name = f"test:{uuid4().hex}"
    yield name
    await redis.delete(name)


@pytest.fixture
async def publish(key):
    """Make one attempt, by a sender that is closed in the end."""
    made = {}

    async def publish(what, url=URL):
        bus = made.setdefault(url, sender(url, key))
        async with asyncio.timeout(20):
            return await bus.send(what)

    yield publish
    for each in made.values():
        await each.close()


async def test_a_stream_gets_an_entry_with_the_event(publish, redis, key):
    told = claim()
    assert (await publish(told)).outcome is Outcome.DELIVERED
    ((_, entry),) = await redis.xrange(key)
    assert entry == {
        b"id": str(told.callback_id).encode(),
        b"content-type": b"application/cloudevents+json",
        b"data": as_cloudevent(told.callback_id, told.body).content,
    }


async def test_a_second_attempt_has_the_same_id_and_the_same_bytes(publish, redis, key):
    told = claim()
    for _ in range(2):
        assert (await publish(told)).outcome is Outcome.DELIVERED
    (_, first), (_, second) = await redis.xrange(key)
    assert first == second


async def test_many_at_once_are_all_delivered(publish, redis, key):
    answers = await asyncio.gather(*(publish(claim()) for _ in range(50)))
    assert {answer.outcome for answer in answers} == {Outcome.DELIVERED}
    assert await redis.xlen(key) == 50


async def test_a_key_of_another_type_is_a_failed_attempt_until_it_is_gone(publish, redis, key):
    await redis.set(key, "text")
    answer = await publish(claim())
    assert answer.outcome is Outcome.FAILED
    assert "WRONGTYPE" in answer.detail
    await redis.delete(key)
    assert (await publish(claim())).outcome is Outcome.DELIVERED


async def test_credentials_that_are_wrong_are_told_of_and_not_told(publish):
    answer = await publish(claim(), "redis://nobody:hunter2@127.0.0.1:6379")
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith("AuthenticationError: ")
    assert "hunter2" not in answer.detail


async def test_while_redis_is_away_attempts_fail_and_after_that_the_next_one_delivers(publish, redis, key):
    async with Detour(6379) as detour:
        url = f"redis://127.0.0.1:{detour.port}"
        assert (await publish(claim(), url)).outcome is Outcome.DELIVERED
        await detour.close()
        for _ in range(2):
            assert (await publish(claim(), url)).outcome is Outcome.FAILED
        await detour.open()
        assert (await publish(claim(), url)).outcome is Outcome.DELIVERED
    assert await redis.xlen(key) == 2
