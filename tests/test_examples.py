"""The examples of the docs, run: each app in this process, asked what our own signer has signed."""

import importlib.util
import json
import os
import signal
import subprocess
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


@pytest.fixture
def example():
    """The feed's consumer, as a module."""
    spec = importlib.util.spec_from_file_location("feed_consumer", CONSUMER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Worker:
    """The example at work on a service: what it dealt with, session by session, and how long it would have waited."""

    def __init__(self, example, service):
        self.example, self.service = example, service
        self.sessions, self.pauses = [], []

    def work(self, until, on_item=lambda number: None, on_pause=lambda: None):
        """Deal with items until there have been so many; `on_item` is told the number of each."""

        def deal_with(item):
            self.sessions.append(item["sessionId"])
            on_item(len(self.sessions))
            if len(self.sessions) == until:
                raise Enough

        with self.example.connect() as client:

            def pause(seconds):
                self.pauses.append(seconds)
                on_pause()
                client.base_url = self.at

            client.base_url = self.at
            with pytest.raises(Enough):
                self.example.Consumer(client, pause).follow(deal_with)

    @property
    def at(self):
        return f"http://127.0.0.1:{self.service.port}"

    def end(self, *seeds, end="completed"):
        for event in (event for seed in seeds for event in forge.story(seed, end)):
            self.service.post(forge.token(event))


@pytest.fixture
def worker(example, tmp_path):
    with Serving(tmp_path, measured=False) as service:
        yield Worker(example, service)


@pytest.mark.parametrize("end", ["completed", "expired"])
def test_the_feeds_consumer_deals_with_every_end_and_begins_again_where_it_was(worker, end):
    worker.end(1, 2, end=end)
    worker.work(until=2)
    worker.work(until=3)
    one, two, *more = worker.sessions
    assert (one != two, more, worker.pauses) == (True, [one], [])


def test_a_consumer_goes_on_where_another_worker_of_its_name_has_moved_it(worker):
    worker.end(1, 2)

    def overtake(number):
        if number == 2:
            assert worker.service.http.put(worker.example.CONSUMER, json={"position": "2"}).status_code == 200

    worker.work(until=3, on_item=overtake)
    one, two, *more = worker.sessions
    assert (one != two, more, worker.pauses) == (True, [two], [])


def test_a_consumer_waits_for_a_service_that_is_started_anew_and_misses_nothing(worker):
    worker.end(1, 2)

    def restart():
        worker.service.start()
        worker.end(3)

    worker.work(until=3, on_item=lambda number: worker.service.kill() if number == 2 else None, on_pause=restart)
    assert (len(set(worker.sessions)), worker.pauses) == (3, [1.0])


def answering(answer):
    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://at.test")


def test_a_consumer_waits_longer_each_time_but_never_longer_than_a_minute(example):
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 8:
            raise Enough

    with answering(lambda _: httpx.Response(503)) as client, pytest.raises(Enough):
        example.Consumer(client, pause).follow(print)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("status", [401, 403, 409])
def test_a_consumer_stops_at_what_waiting_does_not_mend_and_says_what(example, status):
    def answer(request):
        return httpx.Response(404) if status == 409 and request.method == "GET" else httpx.Response(status, text="No.")

    said = f"{example.CONSUMER} is answered {status}: No."
    with answering(answer) as client, pytest.raises(SystemExit, match=said):
        example.Consumer(client, pytest.fail).follow(print)


def test_ctrl_c_ends_the_consumer_of_the_feed_quietly():
    nobody = {**os.environ, "STATEKEEPER_AT": "http://127.0.0.1:1"}
    with subprocess.Popen([sys.executable, CONSUMER], stderr=subprocess.PIPE, env=nobody, text=True) as process:
        assert "again in 1 s" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (0, False)
