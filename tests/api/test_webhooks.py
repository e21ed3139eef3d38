"""The door for webhooks: what is taken, what is refused and in which order, and that a refusal changes nothing."""

import msgspec
import pytest
from structlog.testing import capture_logs

import apps
import forge
from statekeeper import metrics
from statekeeper.api.bodies import LIMIT
from statekeeper.core.errors import Unavailable
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader
from statekeeper.store.queries.sessions import SessionFilter
from statekeeper.watchers import Watchers


def queries(service) -> Queries:
    return Queries(Reader(service.database.reader))


async def sessions(service) -> list:
    return (await queries(service).sessions.search(SessionFilter())).items


def refused(reason: str) -> float:
    return metrics.REGISTRY.get_sample_value("statekeeper_refusals_total", {"reason": reason}) or 0


async def test_a_verified_event_is_answered_with_what_became_of_it(http):
    created, completed = forge.story(1)
    session = created["payload"]["sessionId"]
    held = await http.webhook(completed)
    assert (held.status_code, held.headers["content-type"]) == (200, "application/json")
    assert held.json() == {
        "eventId": completed["eventId"],
        "sessionId": session,
        "sequence": 2,
        "disposition": "held",
        "state": "pending",
    }
    applied = (await http.webhook(created)).json()
    assert (applied["disposition"], applied["state"]) == ("applied", "completed")
    duplicate = (await http.webhook(forge.redelivered(completed))).json()
    assert (duplicate["disposition"], duplicate["state"]) == ("duplicate", "completed")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/jwt",
        "Application/JWT",
        "application/jwt; charset=utf-8",
        "text/plain",
        "TEXT/plain ;format=flowed",
        "",
    ],
)
async def test_these_content_types_are_taken(http, content_type):
    answer = await http.send_token(forge.token(forge.story(2)[0]), **{"content-type": content_type})
    assert answer.status_code == 200


async def test_no_content_type_is_taken_too(http):
    request = http.build_request("POST", "/webhooks/idnow", content=forge.token(forge.story(2)[0]))
    assert "content-type" not in request.headers
    assert (await http.send(request)).status_code == 200


async def test_white_space_around_the_token_is_trimmed(http):
    assert (await http.send_token(f"\r\n {forge.token(forge.story(2)[0])}\n\t")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "application/jwt+json"},
        {"content-type": "application/jwt, text/html"},
        {"content-type": "text/html;application/jwt"},
        {"content-encoding": "gzip"},
        {"content-encoding": "identity, br"},
    ],
)
async def test_other_media_types_are_415(http, service, headers):
    answer = await http.send_token(forge.token(forge.story(3)[0]), **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert await sessions(service) == []


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
async def test_the_identity_is_no_encoding(http, coding):
    answer = await http.send_token(forge.token(forge.story(3)[0]), **{"content-encoding": coding})
    assert answer.status_code == 200


async def chunks(*parts: bytes):
    for part in parts:
        yield part


async def test_64_kib_are_read_and_a_byte_more_is_413(http):
    assert (await http.send_token(b"x" * LIMIT)).status_code == 400
    assert (await http.send_token(b"x" * (LIMIT + 1))).status_code == 413
    assert (await http.send_token(chunks(b"x" * LIMIT))).status_code == 400
    assert (await http.send_token(chunks(b"x" * LIMIT, b"x"))).status_code == 413


async def test_a_size_is_refused_before_a_type_and_a_type_before_a_content(http):
    assert (await http.send_token(b"x" * (LIMIT + 1), **{"content-type": "text/html"})).status_code == 413
    assert (await http.send_token(chunks(b"x" * LIMIT, b"x"), **{"content-type": "text/html"})).status_code == 413
    assert (await http.send_token(b"no token", **{"content-type": "text/html"})).status_code == 415


class Connection:
    """One request as a server hands it on, message by message."""

    def __init__(self, *messages: dict, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.messages = list(messages)
        self.answers: list[dict] = []
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/webhooks/idnow",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), *headers],
        }

    async def receive(self) -> dict:
        return self.messages.pop(0)

    async def send(self, message: dict) -> None:
        self.answers.append(message)


async def test_a_body_that_says_it_is_too_large_is_not_read(service):
    connection = Connection(headers=((b"content-length", b"65537"),))
    await service.app(connection.scope, connection.receive, connection.send)
    assert connection.answers[0]["status"] == 413


async def test_no_more_of_a_body_is_taken_in_than_a_webhook_can_have(service):
    chunk = {"type": "http.request", "body": b"x" * 10_000, "more_body": True}
    connection = Connection(*([chunk] * 100))
    await service.app(connection.scope, connection.receive, connection.send)
    assert connection.answers[0]["status"] == 413
    assert len(connection.messages) == 100 - 7


async def test_a_length_that_is_no_number_is_left_to_the_server(service):
    connection = Connection({"type": "http.request"}, headers=((b"content-length", b"-1"),))
    await service.app(connection.scope, connection.receive, connection.send)
    assert connection.answers[0]["status"] == 400


async def test_a_sender_that_goes_away_midway_is_not_answered(service):
    part = {"type": "http.request", "body": b"x", "more_body": True}
    connection = Connection(part, {"type": "http.disconnect"})
    await service.app(connection.scope, connection.receive, connection.send)
    assert connection.answers == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_405(bare, method):
    answer = await bare.request(method, "/webhooks/idnow")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_trailing_slash_is_the_same_door(http):
    assert (await http.post("/webhooks/idnow/", content=b"no token")).status_code == 400


async def test_what_is_no_token_is_400(http):
    answer = await http.send_token(b"no token")
    assert (answer.status_code, answer.json()["title"]) == (400, "Not a compact JWT")


async def test_what_is_not_verified_is_401_and_changes_nothing(http, service):
    answer = await http.webhook(forge.story(4)[0], aud="https://elsewhere.test")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "elsewhere" not in answer.text
    assert await sessions(service) == []


async def test_what_is_no_event_is_422_names_its_faults_and_is_kept_for_the_operator(http, service):
    data = forge.story(5)[0] | {"eventSequence": "0", "payload": {}}
    token = forge.token(data)
    answer = await http.send_token(token)
    assert answer.status_code == 422
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["data.eventSequence", "data.payload.sessionId"]
    (refusal,) = await queries(service).refusals.newest()
    assert refusal.token == token
    assert msgspec.to_builtins(refusal.errors) == answer.json()["errors"]
    assert await sessions(service) == []


async def test_refusals_are_counted_and_logged_by_their_reason_and_never_with_what_was_sent(http):
    data = forge.story(6)[0]
    token = forge.token(data, iss="https://secret-issuer.test", header={"kid": "secret-kid"})
    before = refused("too_large")
    with capture_logs() as logs:
        await http.send_token(token)
        await http.send_token(b"x" * (LIMIT + 1))
    assert refused("too_large") == before + 1
    first, second = logs
    assert (first["event"], first["log_level"], first["kind"]) == ("webhook_refused", "warning", "NotVerified")
    assert second == {"event": "webhook_refused", "log_level": "info", "kind": "TooLarge", "reason": "too_large"}
    assert "secret" not in repr(logs)
    assert data["eventId"] not in repr(logs)


class Exhausted:
    """An engine whose queue is full."""

    watchers = Watchers()

    async def receive(self, body: bytes):
        message = "The intake queue is full."
        raise Unavailable(message, reason="queue_full", retry_after=3)


async def test_what_cannot_be_taken_now_is_503_and_says_when_to_come_again(service, client):
    before = refused("queue_full")
    async with client(apps.bare_app(Exhausted(), queries(service))) as http:
        answer = await http.send_token(b"any")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.headers["content-type"] == "application/problem+json"
    assert refused("queue_full") == before + 1
