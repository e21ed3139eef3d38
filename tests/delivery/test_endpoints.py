"""HTTP endpoints: what a receiver that really listens gets, and what is made of its answer."""

import asyncio
import contextlib
import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import statekeeper
from receiver import Answer, Receiver
from statekeeper.core.addresses import Reach
from statekeeper.core.retry import LONGEST_PAUSE, Outcome
from statekeeper.delivery import endpoints
from statekeeper.delivery.clients import open_client
from statekeeper.delivery.endpoints import BODY_BYTES, Endpoint, HttpSender, read_retry_after
from statekeeper.store.attempts import Claim

NEW = "whsec_bmV3IHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="
OLD = "whsec_b2xkIHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="
NOW = datetime(2026, 1, 8, 8, 35, 37, tzinfo=UTC)
BODY = '{"type":"session.completed","data":{"lastStep":{"id":"ENDE-GRÜN"}}}'
CLAIM = Claim(UUID(int=1), UUID(int=2), 2, "crm", BODY, number=1, tries=0)


@pytest.fixture
async def client():
    async with open_client(Reach(loopback=True)) as client:
        yield client


@pytest.fixture
def post(client):
    """Make one attempt at a URL."""

    async def post(url, claim=CLAIM, now=NOW, secrets=(NEW, OLD)):
        return await HttpSender(Endpoint("crm", url, secrets), client, lambda: now).send(claim)

    return post


async def test_a_callback_is_posted_as_standard_webhooks_says(post):
    async with Receiver() as receiver:
        answer = await post(receiver.url)
        (request,) = receiver.requests
    assert answer.outcome is Outcome.DELIVERED
    assert request.method == "POST"
    assert request.body == BODY.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"statekeeper/{statekeeper.__version__}"
    assert request.headers["webhook-id"] == str(CLAIM.callback_id)
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))


async def test_an_independent_verifier_believes_every_secret_and_no_other(post):
    async with Receiver() as receiver:
        await post(receiver.url, now=datetime.now(UTC))
        (request,) = receiver.requests
    for secret in (NEW, OLD):
        Webhook(secret).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_c29tZSBvdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXM=").verify(request.body, dict(request.headers))


async def test_a_retiring_secret_signs_until_its_time(client):
    now = datetime.now(UTC)
    async with Receiver() as receiver:
        for until in (now + timedelta(seconds=1), now):
            endpoint = Endpoint("crm", receiver.url, (NEW,), retiring=((OLD, until),))
            await HttpSender(endpoint, client, lambda: now).send(CLAIM)
        both, one = receiver.requests
    for secret in (NEW, OLD):
        Webhook(secret).verify(both.body, dict(both.headers))
    Webhook(NEW).verify(one.body, dict(one.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(one.body, dict(one.headers))


async def test_the_body_is_the_same_on_every_attempt_and_the_signature_is_not(post):
    async with Receiver() as receiver:
        await post(receiver.url)
        await post(receiver.url, replace(CLAIM, number=2, tries=1), NOW + timedelta(seconds=5))
        first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(post, status):
    async with Receiver(Answer(status, {"retry-after": "7"})) as receiver:
        answer = await post(receiver.url)
    assert (answer.outcome, answer.detail, answer.not_before) == (Outcome.DELIVERED, None, None)


@pytest.mark.parametrize("status", [304, 400, 404, 429, 500, 503])
async def test_any_other_status_is_a_failed_attempt(post, status):
    async with Receiver(Answer(status)) as receiver:
        answer = await post(receiver.url)
    assert (answer.outcome, answer.detail, answer.not_before) == (Outcome.FAILED, f"HTTP {status}", None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(post, status):
    async with Receiver() as target, Receiver(Answer(status, {"location": target.url})) as receiver:
        answer = await post(receiver.url)
        assert target.requests == []
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, f"HTTP {status}")


async def test_gone_ends_it(post):
    async with Receiver(Answer(410, {"retry-after": "7"})) as receiver:
        answer = await post(receiver.url)
    assert (answer.outcome, answer.detail, answer.not_before) == (Outcome.GAVE_UP, "HTTP 410", None)


@pytest.mark.parametrize("status", [302, 400, 429, 503])
async def test_retry_after_is_heard_on_any_failure(post, status):
    async with Receiver(Answer(status, {"retry-after": "120"})) as receiver:
        assert (await post(receiver.url)).not_before == timedelta(seconds=120)


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("0", timedelta()),
        (" 120 ", timedelta(seconds=120)),
        ("999999999999999999", LONGEST_PAUSE),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), timedelta(minutes=5)),
        ("Thursday, 08-Jan-26 08:36:37 GMT", timedelta(minutes=1)),
        ("Thu Jan  8 08:36:37 2026", timedelta(minutes=1)),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), timedelta()),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), LONGEST_PAUSE),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("5, 6", None),
        ("1 Jan 99999999999999999999 00:00:00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, pause):
    assert read_retry_after(text, NOW) == pause


@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,5} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} [+-]?[0-9]{1,6}\Z"))
def test_no_retry_after_is_too_strange(text):
    pause = read_retry_after(text, NOW)
    assert pause is None or timedelta() <= pause <= LONGEST_PAUSE


async def test_no_connection_is_a_failed_attempt_that_tells_no_url(post):
    async with Receiver() as receiver:
        url = receiver.url
    answer = await post(f"{url}?key=hidden")
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith("ConnectError")
    assert "hidden" not in answer.detail


async def test_a_connection_dropped_without_a_word_is_a_failed_attempt(post):
    async with Receiver(Answer(drop=True)) as receiver:
        answer = await post(receiver.url)
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith("RemoteProtocolError: Server disconnected")


async def test_a_long_answer_is_not_read_to_its_end_and_its_connection_not_kept(post, client):
    long = Answer(200, {"transfer-encoding": "chunked"}, b"400\r\n" + b"x" * 0x400 + b"\r\n")
    async with Receiver(replace(long, body=long.body * 5 * (BODY_BYTES // 0x400))) as receiver:
        assert (await post(receiver.url)).outcome is Outcome.DELIVERED
        assert client._transport.connections == []


async def test_a_short_answer_is_read_and_its_connection_used_again(post, client):
    async with Receiver(Answer(200, body=b"thank you")) as receiver:
        await post(receiver.url)
        await post(receiver.url)
        assert len(client._transport.connections) == 1


async def test_an_answer_whose_body_never_ends_is_judged_by_its_status(post, monkeypatch):
    monkeypatch.setattr(endpoints, "BODY_SECONDS", 0.01)
    promised = {"content-length": "100"}
    async with Receiver(Answer(200, promised), Answer(503, promised, b"so far")) as receiver:
        assert (await post(receiver.url)).outcome is Outcome.DELIVERED
        answer = await post(receiver.url)
        assert (answer.detail, answer.response) == ("HTTP 503", "so far")


@pytest.mark.parametrize("status", [200, 302, 410, 422, 503])
async def test_what_the_receiver_says_is_kept_whatever_its_status(post, status):
    async with Receiver(Answer(status, body="GRÜN\r\n".encode())) as receiver:
        assert (await post(receiver.url)).response == "GRÜN\r\n"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", None),
        (b"\0", None),
        (b"\0a\0b", "ab"),
        (b"\xff\xfe!", "\ufffd\ufffd!"),
        (b"\xed\xa0\x80", "\ufffd" * 3),
        (b"x" * BODY_BYTES, "x" * BODY_BYTES),
        (b"x" * (BODY_BYTES + 1), "x" * BODY_BYTES),
        (b"x" * (BODY_BYTES - 1) + "Ü".encode(), "x" * (BODY_BYTES - 1)),
        (b"\xff" * BODY_BYTES, "\ufffd" * BODY_BYTES),
    ],
)
async def test_of_a_body_as_much_is_kept_as_can_be_stored_and_no_more_than_4_kib(post, body, kept):
    async with Receiver(Answer(503, body=body)) as receiver:
        assert (await post(receiver.url)).response == kept


async def test_compression_is_not_asked_for_and_what_comes_encoded_is_not_kept(post):
    encoded = Answer(200, {"content-encoding": "gzip"}, gzip.compress(b'{"receipt": "case 4711"}'))
    async with Receiver(encoded) as receiver:
        answer = await post(receiver.url)
        assert receiver.requests[0].headers["accept-encoding"] == "identity"
    assert (answer.outcome, answer.response, answer.receipt) == (Outcome.DELIVERED, None, None)


async def test_of_a_body_that_streams_for_ever_the_beginning_is_kept_and_its_connection_is_not(post, client):
    async def stream(reader, writer):
        await reader.readuntil(b"}}}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()
        over.set()
        writer.close()

    over = asyncio.Event()
    async with await asyncio.start_server(stream, "127.0.0.1", 0) as server:
        answer = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await asyncio.wait_for(over.wait(), 10)
    assert (answer.outcome, answer.response) == (Outcome.DELIVERED, "x" * BODY_BYTES)
    assert client._transport.connections == []


async def test_a_delivery_is_known_by_the_receipt_in_its_answer(post):
    body = '{"receipt": "Vorgang-Ü 4711", "other": [1]}'
    async with Receiver(Answer(202, body=body.encode())) as receiver:
        answer = await post(receiver.url)
    assert (answer.receipt, answer.response) == ("Vorgang-Ü 4711", body)


@pytest.mark.parametrize("status", [302, 410, 422, 503])
async def test_only_a_delivery_has_a_receipt(post, status):
    async with Receiver(Answer(status, body=b'{"receipt": "case 4711"}')) as receiver:
        assert (await post(receiver.url)).receipt is None


async def test_an_answer_whose_body_is_broken_is_judged_by_its_status(post):
    chunked = {"transfer-encoding": "chunked"}
    async with Receiver(Answer(200, chunked, body=b"no chunk at all\r\n")) as receiver:
        assert (await post(receiver.url)).outcome is Outcome.DELIVERED


async def test_a_cookie_is_not_kept(post):
    async with Receiver(Answer(200, {"set-cookie": "session=1; Path=/"})) as receiver:
        await post(receiver.url)
        await post(receiver.url)
        assert "cookie" not in receiver.requests[1].headers


async def test_no_proxy_of_the_environment_is_obeyed(post, monkeypatch):
    async with Receiver() as proxy, Receiver() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with open_client(Reach(loopback=True)) as client:
            sender = HttpSender(Endpoint("crm", receiver.url, (NEW,)), client)
            assert (await sender.send(CLAIM)).outcome is Outcome.DELIVERED
        assert proxy.requests == []


async def test_an_endpoint_that_hangs_leaves_others_their_connections(client):
    go_on = asyncio.Event()
    async with Receiver(otherwise=lambda _: Answer(until=go_on)) as hanging, Receiver() as receiver:
        slow = HttpSender(Endpoint("slow", hanging.url, (NEW,)), client)
        sends = [asyncio.create_task(slow.send(CLAIM)) for _ in range(20 * slow.slots)]
        await hanging.wait_for(len(sends))
        prompt = HttpSender(Endpoint("prompt", receiver.url, (NEW,)), client)
        assert (await prompt.send(CLAIM)).outcome is Outcome.DELIVERED
        go_on.set()
        assert {answer.outcome for answer in await asyncio.gather(*sends)} == {Outcome.DELIVERED}


def test_an_endpoint_shows_neither_its_secrets_nor_its_url():
    endpoint = Endpoint("crm", "https://crm.test/hook?key=hidden", (NEW,), environments=frozenset({"live"}))
    assert NEW not in repr(endpoint)
    assert "hidden" not in repr(endpoint)
    assert endpoint.subscriber.name == "crm"
    assert endpoint.subscriber.environments == {"live"}


async def test_a_status_stands_though_the_attempts_time_ends_while_its_body_is_awaited(post):
    over = asyncio.Event()

    async def stall(reader, writer):
        await reader.readuntil(b"}}}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await over.wait()
        writer.close()

    async with await asyncio.start_server(stall, "127.0.0.1", 0) as server:
        async with asyncio.timeout(0.2):
            answer = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        over.set()
    assert answer.outcome is Outcome.DELIVERED
