"""RabbitMQ, on the real server: a message that is safe in a queue, and what is no delivery."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from brokers import Detour, claim, need, sender
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.retry import Outcome

URL = "amqp://guest:guest@127.0.0.1:5672"


@pytest.fixture
async def channel():
    need("RabbitMQ", 5672)
    connection = await aio_pika.connect(URL)
    yield await connection.channel()
    await connection.close()


@pytest.fixture
async def queue(channel):
    """A queue of the test's own."""
    declared = await channel.declare_queue(f"test-{uuid4().hex}", durable=True)
    yield declared
    await declared.delete(if_unused=False, if_empty=False)


@pytest.fixture
async def publish():
    """Make one attempt, by a sender that is closed in the end."""
    made = {}

    async def publish(destination, what, url=URL):
        bus = made.setdefault((url, destination), sender(url, destination))
        async with asyncio.timeout(20):
            return await bus.send(what)

    yield publish
    for each in made.values():
        await each.close()


async def test_a_queue_gets_a_persistent_message_with_the_event(publish, queue):
    told = claim()
    assert (await publish(queue.name, told)).outcome is Outcome.DELIVERED
    message = await queue.get(no_ack=True)
    assert message.body == as_cloudevent(told.callback_id, told.body).content
    assert message.content_type == "application/cloudevents+json"
    assert message.message_id == str(told.callback_id)
    assert message.type == "session.completed"
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT


async def test_a_second_attempt_has_the_same_id_and_the_same_bytes(publish, queue):
    told = claim()
    for _ in range(2):
        assert (await publish(queue.name, told)).outcome is Outcome.DELIVERED
    first, second = [await queue.get(no_ack=True) for _ in range(2)]
    assert first.message_id == second.message_id
    assert first.body == second.body


async def test_an_exchange_routes_it(publish, channel, queue):
    exchange = await channel.declare_exchange(queue.name, aio_pika.ExchangeType.TOPIC)
    await queue.bind(exchange, "session.*")
    assert (await publish(f"/exchanges/{queue.name}/session.ended", claim())).outcome is Outcome.DELIVERED
    assert (await queue.get(no_ack=True)).routing_key == "session.ended"
    await exchange.delete()


async def test_what_no_queue_takes_is_a_failed_attempt_until_one_does(publish, channel):
    name = f"test-{uuid4().hex}"
    answer = await publish(name, claim())
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, f"no queue took it at {name}")
    queue = await channel.declare_queue(name)
    assert (await publish(name, claim())).outcome is Outcome.DELIVERED
    await queue.delete(if_empty=False)


async def test_a_queue_that_is_full_and_rejects_is_a_failed_attempt(publish, channel):
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    queue = await channel.declare_queue(f"test-{uuid4().hex}", arguments=full)
    assert (await publish(queue.name, claim())).outcome is Outcome.DELIVERED
    answer = await publish(queue.name, claim())
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, f"no queue took it at {queue.name}")
    await queue.delete(if_empty=False)


async def test_an_exchange_that_is_not_there_is_a_failed_attempt_until_it_is(publish, channel, queue):
    destination = f"/exchanges/{queue.name}/ended"
    answer = await publish(destination, claim())
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith(f"ChannelNotFoundEntity: NOT_FOUND - no exchange '{queue.name}'")
    exchange = await channel.declare_exchange(queue.name)
    await queue.bind(exchange, "ended")
    assert (await publish(destination, claim())).outcome is Outcome.DELIVERED
    await exchange.delete()


async def test_credentials_that_are_wrong_are_told_of_and_not_told(publish, queue):
    answer = await publish(queue.name, claim(), "amqp://guest:hunter2@127.0.0.1:5672")
    assert answer.outcome is Outcome.FAILED
    assert "ACCESS_REFUSED" in answer.detail
    assert "hunter2" not in answer.detail


async def test_while_rabbitmq_is_away_attempts_fail_and_after_that_the_next_one_delivers(publish, queue):
    async with Detour(5672) as detour:
        url = f"amqp://guest:guest@127.0.0.1:{detour.port}"
        assert (await publish(queue.name, claim(), url)).outcome is Outcome.DELIVERED
        await detour.close()
        for _ in range(2):
            assert (await publish(queue.name, claim(), url)).outcome is Outcome.FAILED
        await detour.open()
        assert (await publish(queue.name, claim(), url)).outcome is Outcome.DELIVERED
    assert [await queue.get(no_ack=True) for _ in range(2)]
    assert await queue.get(fail=False) is None
