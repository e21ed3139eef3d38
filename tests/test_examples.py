"""The examples of the docs, run: each app in this process, asked what our own signer has signed."""

import importlib.util
import json
import sys
from pathlib import Path

import httpx
import pytest

import forge
from posted import OLD, OTHER, body_of, ended, signed
from posted import SECRET as NEW
from serving import Serving

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "docs" / "examples").glob("*_receiver.py"))


CONSUMER = EXAMPLES[0].with_name("feed_consumer.py")


def callback(number):
    return body_of(ended(number))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def post(request, monkeypatch, tmp_path):
    """Send a body, signed, as the callback of this number."""
    monkeypatch.setenv("CALLBACK_SECRETS", f"{NEW} {OLD}")
    monkeypatch.setenv("CALLBACK_STORE", str(tmp_path / "receiver.db"))
    spec = importlib.util.spec_from_file_location(request.param.stem, request.param)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, request.param.stem, module)  # where Litestar looks for what annotations name
    spec.loader.exec_module(module)

    async def send(number, body, *secrets):
        headers = signed(body, *secrets, number=number) | {"content-type": "application/json"}
        transport = httpx.ASGITransport(module.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver.test") as client:
            return await client.post("/hooks/statekeeper", content=body, headers=headers)

    return send


def test_there_are_examples_of_two_frameworks():
    assert [path.stem for path in EXAMPLES] == ["fastapi_receiver", "litestar_receiver"]


async def test_a_callback_is_done_once_however_often_it_comes(post):
    answers = [await post(number, callback(number), NEW) for number in (1, 2, 1, 1)]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["receipt"] for answer in answers] == ["case 1", "case 2", "case 1", "case 1"]


@pytest.mark.parametrize("signers", [(OLD,), (NEW, OLD), (OTHER, OLD)])
async def test_while_secrets_change_each_fits(post, signers):
    assert (await post(1, callback(1), *signers)).status_code == 200


async def test_what_is_not_signed_right_is_refused_and_does_nothing(post):
    refused = await post(1, callback(1), OTHER)
    assert (refused.status_code, refused.json()) == (401, {"detail": "No matching signature found"})
    assert (await post(2, callback(2), NEW)).json() == {"receipt": "case 1"}


async def test_what_tells_no_end_is_acknowledged(post):
    notice = {"type": "endpoint.disabled", "timestamp": "2026-01-08T08:35:37.581Z", "data": {"endpoint": "crm"}}
    answer = await post(1, json.dumps(notice).encode(), NEW)
    assert (answer.status_code, answer.json()) == (200, {})


class Enough(Exception):
    """The consumer goes on for ever; a test has seen enough."""


@pytest.mark.parametrize("end", ["completed", "expired"])
def test_the_feeds_consumer_deals_with_every_end_and_begins_again_where_it_was(tmp_path, monkeypatch, end):
    spec = importlib.util.spec_from_file_location("feed_consumer", CONSUMER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sessions = []
    with Serving(tmp_path, measured=False) as service:
        monkeypatch.setenv("STATEKEEPER_AT", f"http://127.0.0.1:{service.port}")
        for seed in (1, 2):
            for event in forge.story(seed, end):
                service.post(forge.token(event))

        def deal_with(item):
            sessions.append(item["sessionId"])
            if len(sessions) == 3:
                raise Enough

        def die_at_the_second(item):
            deal_with(item)
            if len(sessions) == 2:
                raise Enough

        with module.connect() as client:
            for deal in (die_at_the_second, deal_with):
                with pytest.raises(Enough):
                    module.follow(client, deal)
    assert sessions == [sessions[0], sessions[1], sessions[0]]
