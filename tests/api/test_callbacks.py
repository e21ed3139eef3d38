"""One callback, sent again over HTTP."""

import asyncio
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

import forge
from receiver import Answer, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"


async def end(http, seed: int) -> dict:
    """A session that ended, and the one callback that it owes."""
    for event in forge.story(seed):
        session = (await http.webhook(event)).json()["sessionId"]
    (callback,) = (await http.get(f"/v1/sessions/{session}/history")).json()["callbacks"]
    return callback | {"sessionId": session}


async def status_of(http, callback: dict) -> str:
    (now,) = (await http.get(f"/v1/sessions/{callback['sessionId']}/history")).json()["callbacks"]
    return now["status"]


async def test_a_dead_callback_is_sent_again_on_request(serving, client):
    async with Receiver(Answer(503)) as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(endpoints=endpoints, delivery={"schedule": [0]}) as service, client(service.app) as http:
            callback = await end(http, 1)
            await asyncio.wait_for(receiver.wait_for(1), 5)
            while await status_of(http, callback) != "dead":  # noqa: ASYNC110 -- the relay says nothing when it has settled
                await asyncio.sleep(0)
            with capture_logs() as logs:
                answer = await http.post(f"/v1/callbacks/{callback['callbackId'].upper()}/retry")
            assert answer.status_code == 202
            document = answer.json()
            assert document.pop("nextAttemptAt").endswith("Z")
            assert document == {"callbackId": callback["callbackId"], "status": "pending"}
            assert {"event": "callback_retried", "log_level": "info", "by": "local"}.items() <= logs[0].items()
            await asyncio.wait_for(receiver.wait_for(2), 5)
            while await status_of(http, callback) != "delivered":  # noqa: ASYNC110 -- same
                await asyncio.sleep(0)
            again = await http.post(f"/v1/callbacks/{callback['callbackId']}/retry")
            assert (again.status_code, again.json()["title"]) == (409, "Already delivered")


async def test_a_dry_run_says_what_a_retry_would_do_and_changes_nothing(serving, client):
    async with Receiver(Answer(503)) as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(endpoints=endpoints, delivery={"schedule": [0]}) as service, client(service.app) as http:
            callback = await end(http, 1)
            while await status_of(http, callback) != "dead":  # noqa: ASYNC110 -- same
                await asyncio.sleep(0)
            answer = await http.post(f"/v1/callbacks/{callback['callbackId']}/retry?dryRun=true")
            assert answer.status_code == 200
            plan = {"callbackId": callback["callbackId"], "subscriber": "crm", "status": "dead", "attempts": 1}
            assert answer.json() == plan | {"dryRun": True}
            assert await status_of(http, callback) == "dead"
            assert (await http.post(f"/v1/callbacks/{callback['callbackId']}/retry?dryRun=false")).status_code == 202
            while await status_of(http, callback) != "delivered":  # noqa: ASYNC110 -- same
                await asyncio.sleep(0)
            refused = await http.post(f"/v1/callbacks/{callback['callbackId']}/retry?dryRun=true")
            assert (refused.status_code, refused.json()["title"]) == (409, "Already delivered")


async def test_a_dry_run_of_an_unknown_callback_is_404_and_a_strange_one_400(http):
    assert (await http.post(f"/v1/callbacks/{uuid4()}/retry?dryRun=true")).status_code == 404
    assert (await http.post(f"/v1/callbacks/{uuid4()}/retry?dryRun=perhaps")).status_code == 400


async def test_an_unknown_callback_is_404(http):
    answer = await http.post(f"/v1/callbacks/{uuid4()}/retry")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("wrong", ["1", "x" * 36, UUID(int=0).hex])
async def test_an_id_that_is_no_uuid_is_400(bare, wrong):
    answer = await bare.post(f"/v1/callbacks/{wrong}/retry")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "callbackId")


async def test_a_retry_takes_no_other_parameters(bare):
    assert (await bare.post(f"/v1/callbacks/{uuid4()}/retry?force=1")).status_code == 400


async def test_a_retry_is_not_got(bare):
    assert (await bare.get(f"/v1/callbacks/{uuid4()}/retry")).status_code == 405


async def test_the_log_says_whose_token_it_was(guarded, bearer):
    created, _ = forge.story(1)
    session = (await guarded.webhook(created)).json()["sessionId"]
    with capture_logs() as logs:
        said = {"text": "called the customer"}
        answer = await guarded.post(f"/v1/sessions/{session}/notes", json=said, headers=bearer("support"))
    assert answer.status_code == 201
    assert (logs[0]["event"], logs[0]["by"], logs[0]["session_id"]) == ("session_noted", "the support", session)


async def test_what_a_receiver_answered_is_not_for_readers(serving, client, tokens, bearer):
    async with Receiver(Answer(200, body=b'{"receipt": "case 4711"}')) as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(endpoints=endpoints, tokens=tokens) as service, client(service.app) as http:
            http.headers.update(bearer("support"))
            callback = await end(http, 1)
            while await status_of(http, callback) != "delivered":  # noqa: ASYNC110 -- the relay says nothing when it has settled
                await asyncio.sleep(0)
            path = f"/v1/sessions/{callback['sessionId']}/history"
            shown = (await http.get(path)).json()
            hidden = (await http.get(path, headers=bearer("reader"))).json()
    (told,) = shown["callbacks"]
    assert told["receipt"] == "case 4711"
    assert "case 4711" in told["attempts"][0]["response"]
    told |= {"receipt": None, "attempts": [told["attempts"][0] | {"response": None}]}
    assert hidden == shown
