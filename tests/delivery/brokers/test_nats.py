"""NATS JetStream, on the real server: what a stream gets, once, and what is no delivery."""

import asyncio
import json
from uuid import uuid4

import nats
import pytest

from brokers import Detour, claim, need, sender
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.retry import Outcome


@pytest.fixture
async def stream():
    """A stream of the test's own, by its context and its name; it takes `NAME.ended`."""
    need("NATS", 4222)
    client = await nats.connect("nats://127.0.0.1:4222")
    context, name = client.jetstream(), f"test-{uuid4().hex}"
    await context.add_stream(name=name, subjects=[f"{name}.ended"])
    yield context, name
    await context.delete_stream(name)
    await client.close()


@pytest.fixture
async def publish():
    """Make one attempt, by a sender that is closed in the end."""
    made = {}

    async def publish(url, subject, what):
        bus = made.setdefault((url, subject), sender(url, subject))
        async with asyncio.timeout(20):
            return await bus.send(what)

    yield publish
    for each in made.values():
        await each.close()


async def test_a_stream_gets_the_event(stream, publish):
    context, name = stream
    told = claim()
    assert (await publish("nats://127.0.0.1:4222", f"{name}.ended", told)).outcome is Outcome.DELIVERED
    message = await context.get_last_msg(name, f"{name}.ended")
    assert message.data == as_cloudevent(told.callback_id, told.body).content
    assert message.headers["content-type"] == "application/cloudevents+json"
    assert message.headers["Nats-Msg-Id"] == str(told.callback_id)


async def test_a_second_attempt_is_delivered_and_dropped_by_the_stream(stream, publish):
    context, name = stream
    told = claim()
    for _ in range(2):
        assert (await publish("nats://127.0.0.1:4222", f"{name}.ended", told)).outcome is Outcome.DELIVERED
    assert (await context.stream_info(name)).state.messages == 1


async def test_many_at_once_share_a_connection(stream, publish):
    context, name = stream
    answers = await asyncio.gather(
        *(publish("nats://127.0.0.1:4222", f"{name}.ended", claim()) for _ in range(50)),
    )
    assert {answer.outcome for answer in answers} == {Outcome.DELIVERED}
    assert (await context.stream_info(name)).state.messages == 50


async def test_a_subject_that_no_stream_takes_is_a_failed_attempt_until_one_does(stream, publish):
    context, name = stream
    subject = f"{name}-other.ended"
    answer = await publish("nats://127.0.0.1:4222", subject, claim())
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, f"no JetStream stream takes the subject {subject}")
    await context.update_stream(name=name, subjects=[f"{name}.ended", subject])
    assert (await publish("nats://127.0.0.1:4222", subject, claim())).outcome is Outcome.DELIVERED


async def test_what_a_stream_refuses_is_a_failed_attempt(stream, publish):
    context, name = stream
    await context.update_stream(name=name, subjects=[f"{name}.ended"], max_msg_size=10)
    answer = await publish("nats://127.0.0.1:4222", f"{name}.ended", claim())
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith("JetStream: message size exceeds maximum")


@pytest.mark.parametrize("reply", [b"", b"thanks", b"[]", b"{}", b'"stream"'])
async def test_an_answer_that_is_not_jetstreams_is_no_delivery(stream, publish, reply):
    context, name = stream
    subject = f"{name}-plain.ended"

    async def answer(message):
        await message.respond(reply)

    await context._nc.subscribe(subject, cb=answer)
    await context._nc.flush()
    answer = await publish("nats://127.0.0.1:4222", subject, claim())
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "JetStream: the answer is not JetStream's")


async def test_while_nats_is_away_attempts_fail_and_after_that_the_next_one_delivers(stream, publish):
    context, name = stream
    async with Detour(4222) as detour:
        url, told = f"nats://127.0.0.1:{detour.port}", claim()
        assert (await publish(url, f"{name}.ended", told)).outcome is Outcome.DELIVERED
        await detour.close()
        for _ in range(2):
            assert (await publish(url, f"{name}.ended", told)).outcome is Outcome.FAILED
        answer = await publish(url, f"{name}.ended", told)
        assert answer.detail.startswith("ConnectionRefusedError: ")
        await detour.open()
        assert (await publish(url, f"{name}.ended", claim())).outcome is Outcome.DELIVERED
    assert (await context.stream_info(name)).state.messages == 2


async def test_an_attempt_that_waits_for_its_acknowledgement_fails_when_the_connection_is_lost(stream, publish):
    context, name = stream
    subject, arrived = f"{name}-slow.ended", asyncio.Event()

    async def hear(_message):
        arrived.set()

    await context._nc.subscribe(subject, cb=hear)
    await context._nc.flush()
    async with Detour(4222) as detour:
        attempt = asyncio.create_task(publish(f"nats://127.0.0.1:{detour.port}", subject, claim()))
        await arrived.wait()
        await detour.close()
        async with asyncio.timeout(5):
            answer = await attempt
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "ConnectionClosedError: nats: connection closed")


@pytest.mark.parametrize("credentials", ["", "hunter2@", "user:hunter2@"])
async def test_without_tls_a_tls_url_is_not_served_and_no_credential_leaves(publish, credentials):
    heard, over = bytearray(), asyncio.Event()

    async def pretend(reader, writer):
        """A server, or somebody on the way to it, that wants credentials and no TLS."""
        writer.write(b"INFO " + json.dumps({"auth_required": True, "headers": True}).encode() + b"\r\n")
        while chunk := await reader.read(1024):
            heard.extend(chunk)
            writer.write(b"PONG\r\n" if b"PING" in chunk else b"")
        writer.transport.abort()
        over.set()

    server = await asyncio.start_server(pretend, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await publish(f"tls://{credentials}127.0.0.1:{port}", "ended", claim())
        await over.wait()
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "ConnectionError: the server does not ask for TLS")
    assert b"hunter2" not in heard
    assert b"specversion" not in heard
