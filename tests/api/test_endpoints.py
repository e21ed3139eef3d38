"""Endpoints as data, over HTTP: made, changed, rotated, disabled, tested and taken away."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

import forge
from databases import rows
from receiver import Answer, Receiver
from statekeeper.core.errors import Unavailable
from statekeeper.delivery.administration import Administration
from statekeeper.recoverer import Recoverer
from statekeeper.store import deletion
from statekeeper.trust.sealing import new_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
KEY = new_key()
HERE = {"encryption_keys": [KEY], "delivery": {"allowed_networks": ["127.0.0.0/8"], "schedule": [0, 60]}}


@pytest.fixture
async def http(serving, client):
    """A service that has a key, and lets callbacks go to this machine."""
    async with serving(**HERE) as service, client(service.app) as http:
        http.service = service
        yield http


def new(url="https://crm.example/hook", **members):
    return {"name": "crm", "url": url, **members}


async def end(http, seed):
    """A session that ended; returns its id."""
    for event in forge.story(seed):
        session = (await http.webhook(event)).raise_for_status().json()["sessionId"]
    return session


def let_all_notice(http):
    """Move the store's clock on, to where a name that was deleted is free again."""
    http.service.database.clock = lambda: datetime.now(UTC) + deletion.NOTICED


def verify(secret, request):
    return Webhook(secret).verify(request.body, dict(request.headers))


def verifies(secret, request):
    try:
        verify(secret, request)
    except WebhookVerificationError:
        return False
    return True


async def test_an_endpoint_is_made_told_rotated_and_taken_away(http):
    async with Receiver() as receiver:
        made = await http.post("/v1/endpoints", json=new(receiver.url))
        assert made.status_code == 201
        assert (made.headers["location"], made.headers["cache-control"]) == ("/v1/endpoints/crm", "no-store")
        first = made.json()["secret"]
        session = await end(http, 1)
        request = (await receiver.wait_for(1))[0]
        assert verify(first, request)["data"]["sessionId"] == session

        rotated = await http.post("/v1/endpoints/crm/rotate")
        second = rotated.json()["secret"]
        assert (rotated.status_code, second != first) == (200, True)
        assert [each["expiresAt"] is None for each in rotated.json()["secrets"]] == [True, False]
        await end(http, 2)
        request = (await receiver.wait_for(2))[1]
        assert verifies(first, request)
        assert verifies(second, request)

        third = (await http.post("/v1/endpoints/crm/rotate", json={"overlap": 0})).json()["secret"]
        await end(http, 3)
        request = (await receiver.wait_for(3))[2]
        assert [verifies(secret, request) for secret in (first, second, third)] == [False, False, True]

        assert (await http.delete("/v1/endpoints/crm")).status_code == 204
        await end(http, 4)
        assert (await http.get("/v1/endpoints/crm")).status_code == 404
        assert await rows(http.service.database, "SELECT count(*) FROM callbacks") == [(3,)]
        assert len(receiver.requests) == 3


async def test_a_given_secret_is_taken_and_shown_once_more(http):
    made = await http.post("/v1/endpoints", json=new(secret=SECRET))
    assert made.json()["secret"] == SECRET
    assert "secret" not in (await http.get("/v1/endpoints/crm")).json()


async def test_an_endpoint_shows_all_but_what_is_secret(http):
    url = "https://user:hidden@crm.example/hook?token=hidden"
    made = (await http.post("/v1/endpoints", json=new(url, states=["completed"], rate=2.5))).json()
    shown = (await http.get("/v1/endpoints/crm")).json()
    made.pop("secret")
    assert shown == made
    assert shown["createdAt"] == shown["updatedAt"]
    del shown["createdAt"], shown["updatedAt"]
    assert shown == {
        "name": "crm",
        "kind": "http",
        "origin": "api",
        "usable": True,
        "url": "https://user:***@crm.example/hook?token=***",
        "secrets": [{"expiresAt": None}],
        "transitions": "terminal",
        "states": ["completed"],
        "environments": [],
        "flows": [],
        "notices": [],
        "concurrency": 8,
        "rate": 2.5,
        "health": {
            "state": "closed",
            "failures": 0,
            "failingSince": None,
            "nextProbeAt": None,
            "disabledAt": None,
            "disabledReason": None,
        },
        "callbacks": {"pending": 0, "dead": 0},
    }


async def test_no_secret_is_in_a_log_or_in_the_store(http):
    with capture_logs() as logs:
        made = await http.post("/v1/endpoints", json=new("https://crm.example/?token=hidden"))
        rotated = await http.post("/v1/endpoints/crm/rotate")
        await http.post("/v1/endpoints", json=new("https://other.example", name="b", secret="whsec_hidden"))
    stored = str(await rows(http.service.database, "SELECT * FROM endpoints"))
    for secret in (made.json()["secret"], rotated.json()["secret"], "hidden"):
        assert secret not in str(logs)
        assert secret not in stored
    assert [log["event"] for log in logs] == ["endpoint_created", "endpoint_rotated"]
    assert {log["by"] for log in logs} == {"local"}


async def test_a_change_replaces_what_it_names_and_null_is_the_default(http):
    await http.post("/v1/endpoints", json=new(states=["completed"], rate=5, concurrency=2))
    answer = await http.patch(
        "/v1/endpoints/crm",
        content=b'{"states":["expired"],"rate":null,"url":"https://other.example/"}',
        headers={"content-type": "application/merge-patch+json"},
    )
    changed = answer.json()
    assert (answer.status_code, changed["states"], changed["rate"]) == (200, ["expired"], None)
    assert (changed["url"], changed["concurrency"]) == ("https://other.example/", 2)
    again = (await http.patch("/v1/endpoints/crm", json={"concurrency": None})).json()
    assert (again["concurrency"], again["states"]) == (8, ["expired"])
    assert again["updatedAt"] > again["createdAt"]


async def test_a_change_is_heard_by_the_next_callback(http):
    async with Receiver() as old, Receiver() as other:
        secret = (await http.post("/v1/endpoints", json=new(old.url))).json()["secret"]
        await http.patch("/v1/endpoints/crm", json={"url": other.url})
        await end(http, 1)
        verify(secret, (await other.wait_for(1))[0])
        assert old.requests == []
        await http.patch("/v1/endpoints/crm", json={"states": ["expired"]})
        await end(http, 2)
        assert await rows(http.service.database, "SELECT count(*) FROM callbacks") == [(1,)]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "crm"}, ["url"]),
        (new(colour="red"), ["colour"]),
        (new("http://crm.example/"), ["url"]),
        (new("https://10.0.0.1/"), ["url"]),
        (new("https://[::1]/"), ["url"]),
        (new("http://localhost/", name=""), ["name"]),
        (new(name="a/b"), ["name"]),
        (new(name=".."), ["name"]),
        (new(secret="whsec_short"), ["secret"]),
        (new(states=["created"], concurrency=0, rate=0), ["states", "concurrency", "rate"]),
        (new(transitions="some", notices=["all"]), ["transitions", "notices[0]"]),
        (new(concurrency="8"), ["concurrency"]),
        ([], ["body"]),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_field(http, body, fields):
    answer = await http.post("/v1/endpoints", json=body)
    assert (answer.status_code, answer.json()["title"]) == (422, "Body refused")
    assert [fault["field"] for fault in answer.json()["errors"]] == fields
    assert (await http.get("/v1/endpoints")).json() == {"items": []}


async def test_no_refusal_repeats_a_secret(http):
    url = "ftp://user:hidden@crm.example/?token=hidden"
    for answer in (
        await http.post("/v1/endpoints", json=new(url, secret="whsec_hidden")),
        await http.post("/v1/endpoints", json=new(secret=["hidden"])),
        await http.patch("/v1/endpoints/crm", json={"url": ["hidden"]}),
        await http.post("/v1/endpoints/crm/rotate", json={"secret": {"hidden": 1}}),
    ):
        assert answer.status_code == 422
        assert "hidden" not in answer.text


async def test_a_url_cannot_be_taken_away(http):
    await http.post("/v1/endpoints", json=new())
    answer = await http.patch("/v1/endpoints/crm", json={"url": None})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")


@pytest.mark.parametrize("member", ["name", "secret", "secrets"])
async def test_what_a_change_cannot_reach_is_refused(http, member):
    await http.post("/v1/endpoints", json=new())
    assert (await http.patch("/v1/endpoints/crm", json={member: SECRET})).status_code == 422


async def test_a_name_is_given_once(http):
    assert (await http.post("/v1/endpoints", json=new())).status_code == 201
    answer = await http.post("/v1/endpoints", json=new())
    assert (answer.status_code, answer.json()["title"]) == (409, "Name taken")


async def test_without_a_key_nothing_is_made(serving, client):
    async with serving() as service, client(service.app) as http:
        answer = await http.post("/v1/endpoints", json=new())
    assert (answer.status_code, answer.json()["title"]) == (409, "No encryption key")
    assert "encryption_keys" in answer.json()["detail"]
    assert "statekeeper endpoints new-key" in answer.json()["detail"]


async def test_what_stands_in_the_settings_is_changed_there_only(serving, client):
    async with Receiver(Answer(503)) as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(**HERE, endpoints=endpoints) as service, client(service.app) as http:
            for answer in (
                await http.patch("/v1/endpoints/crm", json={"rate": 1}),
                await http.delete("/v1/endpoints/crm"),
                await http.post("/v1/endpoints/crm/rotate"),
            ):
                assert (answer.status_code, answer.json()["title"]) == (409, "In the settings")
            assert (await http.post("/v1/endpoints", json=new())).json()["title"] == "Name taken"
            shown = (await http.get("/v1/endpoints/crm")).json()
            assert (shown["origin"], shown["createdAt"], shown["secrets"]) == ("settings", None, [{"expiresAt": None}])
            assert (await http.post("/v1/endpoints/crm/ping")).json()["outcome"] == "failed"


async def test_a_disabled_endpoint_waits_until_it_is_enabled(http):
    async with Receiver() as receiver:
        await http.post("/v1/endpoints", json=new(receiver.url))
        answer = await http.post("/v1/endpoints/crm/disable", json={"reason": "moving"})
        health = answer.json()["health"]
        assert (answer.status_code, health["state"], health["disabledReason"]) == (200, "disabled", "moving")
        await end(http, 1)
        waiting = (await http.get("/v1/endpoints/crm")).json()
        assert (waiting["callbacks"], receiver.requests) == ({"pending": 1, "dead": 0}, [])
        enabled = (await http.post("/v1/endpoints/crm/enable")).json()
        assert enabled["health"]["state"] == "closed"
        await receiver.wait_for(1)


async def test_a_disabled_endpoint_says_who_did_it(http):
    await http.post("/v1/endpoints", json=new())
    answer = await http.post("/v1/endpoints/crm/disable")
    assert answer.json()["health"]["disabledReason"] == "by local"


async def test_a_ping_is_signed_and_counts_for_nothing(http):
    async with Receiver(Answer(200), Answer(503, body=b"down")) as receiver:
        secret = (await http.post("/v1/endpoints", json=new(receiver.url))).json()["secret"]
        await http.post("/v1/endpoints/crm/disable")
        answer = await http.post("/v1/endpoints/crm/ping")
        (request,) = await receiver.wait_for(1)
        said = verify(secret, request)
        assert (said["type"], said["data"]) == ("ping", {"endpoint": "crm"})
        assert answer.status_code == 200
        assert answer.json()["messageId"] == request.headers["webhook-id"]
        assert answer.json()["outcome"] == "delivered"
        failed = (await http.post("/v1/endpoints/crm/ping")).json()
        assert (failed["outcome"], failed["detail"], failed["response"]) == ("failed", "HTTP 503", "down")
        assert (await http.get("/v1/endpoints/crm")).json()["health"]["failures"] == 0
        assert await rows(http.service.database, "SELECT count(*) FROM attempts") == [(0,)]


async def test_a_ping_that_is_not_answered_ends_in_time(serving, client):
    hanging = asyncio.Event()
    delivery = HERE["delivery"] | {"timeout": 0.05}
    async with Receiver(Answer(until=hanging)) as receiver:
        async with serving(**HERE | {"delivery": delivery}) as service, client(service.app) as http:
            await http.post("/v1/endpoints", json=new(receiver.url))
            answer = (await http.post("/v1/endpoints/crm/ping")).json()
        hanging.set()
    assert (answer["outcome"], answer["detail"]) == ("failed", "timeout")


async def test_what_a_deleted_endpoint_was_owed_is_dead_and_kept(http):
    async with Receiver(Answer(503)) as receiver:
        await http.post("/v1/endpoints", json=new(receiver.url))
        await end(http, 1)
        await receiver.wait_for(1)
        await http.delete("/v1/endpoints/crm")
        assert await rows(http.service.database, "SELECT status, due_at FROM callbacks") == [("dead", None)]
        let_all_notice(http)
        again = (await http.post("/v1/endpoints", json=new(receiver.url))).json()
        assert (again["callbacks"], again["health"]["failures"]) == ({"pending": 0, "dead": 1}, 0)


async def test_the_name_of_a_deleted_endpoint_is_free_some_seconds_later(http):
    await http.post("/v1/endpoints", json=new())
    assert (await http.delete("/v1/endpoints/crm")).status_code == 204
    assert (await http.get("/v1/endpoints/crm")).status_code == 404
    assert (await http.delete("/v1/endpoints/crm")).status_code == 404
    answer = await http.post("/v1/endpoints", json=new())
    assert (answer.status_code, answer.json()["title"]) == (409, "Name taken")
    assert "try again in some seconds" in answer.json()["detail"]
    let_all_notice(http)
    assert (await http.post("/v1/endpoints", json=new())).status_code == 201


async def test_what_was_to_be_recovered_for_a_deleted_endpoint_is_not_for_the_next_of_its_name(http, monkeypatch):
    async def nothing(_recoverer):
        return 0

    monkeypatch.setattr(Recoverer, "run_once", nothing)
    await http.post("/v1/endpoints", json=new())
    begun = await http.post("/v1/endpoints/crm/recover", json={"since": "2020-01-01T00:00:00Z"})
    assert (await http.get(begun.headers["location"])).json()["finishedAt"] is None
    await http.delete("/v1/endpoints/crm")
    let_all_notice(http)
    assert (await http.post("/v1/endpoints", json=new())).status_code == 201
    assert (await http.get(begun.headers["location"])).json()["finishedAt"] is not None


async def test_what_was_sent_to_the_old_url_says_nothing_of_the_new_one(http):
    hanging = asyncio.Event()
    async with Receiver(Answer(410, until=hanging)) as old, Receiver() as other:
        await http.post("/v1/endpoints", json=new(old.url))
        await end(http, 1)
        await old.wait_for(1)
        assert (await http.patch("/v1/endpoints/crm", json={"url": other.url})).status_code == 200
        hanging.set()
        await end(http, 2)
        await other.wait_for(1)
        assert (await http.get("/v1/endpoints/crm")).json()["health"]["state"] == "closed"


async def test_an_act_that_is_done_is_answered_though_its_figures_cannot_be_read(http, monkeypatch):
    """The answer to a creation is the only one that has the secret."""

    async def away(_administration, _name):
        raise Unavailable("The store does not answer.", reason="store")

    monkeypatch.setattr(Administration, "show", away)
    made = await http.post("/v1/endpoints", json=new())
    assert (made.status_code, made.json()["secret"][:6]) == (201, "whsec_")
    assert (made.json()["health"]["state"], made.json()["callbacks"]) == ("unknown", {"pending": None, "dead": None})


@pytest.mark.parametrize("act", ["", "/rotate", "/enable", "/disable", "/ping"])
async def test_a_name_that_cannot_be_stored_is_not_known(http, act):
    method = "POST" if act else "DELETE"
    assert (await http.request(method, f"/v1/endpoints/a%00b{act}")).status_code == 404


async def test_a_reason_that_cannot_be_stored_is_refused(http):
    await http.post("/v1/endpoints", json=new())
    answer = await http.post("/v1/endpoints/crm/disable", json={"reason": "a\0b"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")


async def test_more_secrets_than_can_sign_are_refused_and_none_is_dropped(http):
    await http.post("/v1/endpoints", json=new())
    answers = [await http.post("/v1/endpoints/crm/rotate") for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [422]
    assert len((await http.get("/v1/endpoints/crm")).json()["secrets"]) == 10
    assert (await http.post("/v1/endpoints/crm/rotate", json={"overlap": 0})).status_code == 200


async def test_an_empty_secret_is_not_taken_for_none(http):
    assert (await http.post("/v1/endpoints", json=new(secret=""))).status_code == 422


async def test_an_attempt_under_way_at_an_endpoint_that_is_deleted_ends_well(http):
    going = asyncio.Event()
    async with Receiver(Answer(until=going)) as receiver:
        await http.post("/v1/endpoints", json=new(receiver.url))
        session = await end(http, 1)
        await receiver.wait_for(1)
        await http.delete("/v1/endpoints/crm")
        going.set()
        (task,) = http.service._relay._tasks
        await task
        (callback,) = (await http.get(f"/v1/sessions/{session}/history")).json()["callbacks"]
    assert (callback["status"], len(callback["attempts"])) == ("delivered", 1)


async def test_a_service_with_the_key_lost_lives_on_and_callbacks_wait(serving, client):
    async with Receiver() as receiver:
        async with serving(**HERE) as service, client(service.app) as http:
            await http.post("/v1/endpoints", json=new(receiver.url))
        with capture_logs() as logs:
            async with serving(**HERE | {"encryption_keys": [new_key()]}) as service, client(service.app) as http:
                await end(http, 1)
                shown = (await http.get("/v1/endpoints/crm")).json()
                assert (shown["usable"], shown["url"], shown["callbacks"]["pending"]) == (False, None, 1)
                assert "statekeeper_unopened_endpoints 1.0" in (await http.get("/metrics")).text
                for answer in (
                    await http.patch("/v1/endpoints/crm", json={"rate": 1}),
                    await http.post("/v1/endpoints/crm/rotate"),
                    await http.post("/v1/endpoints/crm/ping"),
                ):
                    assert (answer.status_code, answer.json()["title"]) == (409, "Cannot be opened")
        assert [log["log_level"] for log in logs if log["event"] == "endpoint_not_opened"][:1] == ["error"]
        async with serving(**HERE) as service, client(service.app) as http:
            await receiver.wait_for(1)


@pytest.mark.parametrize("overlap", [-1, 31 * 86_400, "1"])
async def test_an_overlap_is_a_number_of_seconds_up_to_thirty_days(http, overlap):
    answer = await http.post("/v1/endpoints/crm/rotate", json={"overlap": overlap})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "overlap")


async def test_a_rotated_secret_says_until_when_it_signs(http):
    await http.post("/v1/endpoints", json=new())
    secrets = (await http.post("/v1/endpoints/crm/rotate", json={"overlap": 3600})).json()["secrets"]
    until = datetime.fromisoformat(secrets[1]["expiresAt"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("POST", "/ping"),
    ],
)
async def test_an_endpoint_that_is_not_there_is_404(http, method, path):
    body = {"json": {}} if method == "PATCH" else {}
    answer = await http.request(method, f"/v1/endpoints/none{path}", **body)
    assert (answer.status_code, answer.json()["detail"]) == (404, "No endpoint none is known.")


async def test_endpoints_take_no_parameters(http):
    assert (await http.get("/v1/endpoints?all=1")).status_code == 400
    assert (await http.post("/v1/endpoints?force=1", json=new())).status_code == 400
