"""A callback that is under way when the service is killed: interrupted, and sent again once its lease is over."""

import asyncio

import pytest

import forge
from receiver import Answer, receiving
from serving import Serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
HANGS_ONCE = """
import threading
from pathlib import Path
from statekeeper import SessionEnded, on_terminal

calls = Path(__file__).with_name("calls.txt")

@on_terminal
def hangs_once(ended: SessionEnded) -> None:
    with calls.open("a") as file:
        file.write(f"{ended.callback_id}\\n")
    if len(calls.read_text().splitlines()) == 1:
        threading.Event().wait()
"""
TAKES_A_SECOND = """
import threading
from pathlib import Path
from statekeeper import SessionEnded, on_terminal

@on_terminal
def takes_a_second(ended: SessionEnded) -> None:
    Path(__file__).with_name("began").touch()
    threading.Event().wait(1)
    Path(__file__).with_name("finished").touch()
"""


def crm(url: str) -> list[dict]:
    return [{"name": "crm", "url": url, "secrets": [SECRET]}]


def end_a_session(service: Serving) -> str:
    for data in forge.story(1):
        service.post(forge.token(data))
    return data["payload"]["sessionId"]


def callback_of(service: Serving, session: str) -> dict:
    (callback,) = service.http.get(f"/v1/sessions/{session}/history").json()["callbacks"]
    return callback


def is_delivered(service: Serving, session: str) -> bool:
    return callback_of(service, session)["status"] == "delivered"


def check_story(callback: dict, schedule_used: int, service: Serving) -> None:
    """Two attempts: what became of the first nobody knows, and it used up nothing of the schedule."""
    first, second = callback["attempts"]
    assert (first["number"], first["outcome"], first["detail"]) == (1, "failed", "interrupted")
    assert (second["number"], second["outcome"]) == (2, "delivered")
    assert first["at"] < second["at"]
    assert callback["nextAttemptAt"] is None
    assert service.sql("SELECT attempt, tries FROM callbacks") == [(2, schedule_used)]


def test_an_endpoint_is_asked_again_with_the_same_id_and_the_same_bytes(serving):
    with receiving(Answer(until=asyncio.Event())) as receiver:
        service = serving(endpoints=crm(receiver.url), delivery={"schedule": [0]})
        session = end_a_session(service)
        receiver.wait_for(1)
        service.kill()
        service.start()
        waiting = callback_of(service, session)
        assert (waiting["status"], waiting["attempts"]) == ("pending", [])
        assert len(receiver.requests) == 1
        service.kill()
        service.end_leases()
        service.start()
        first, second = receiver.wait_for(2)
        service.wait_until(lambda: is_delivered(service, session))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == waiting["callbackId"]
    assert first.body == second.body
    check_story(callback_of(service, session), 0, service)


def test_a_function_is_called_again_with_the_same_id(serving, tmp_path):
    (tmp_path / "hanging.py").write_text(HANGS_ONCE)
    calls = tmp_path / "calls.txt"
    service = serving(callbacks=["hanging.py"])
    session = end_a_session(service)
    service.wait_until(lambda: calls.exists() and calls.read_text().endswith("\n"))
    service.kill()
    service.end_leases()
    service.start()
    service.wait_until(lambda: is_delivered(service, session))
    callback = callback_of(service, session)
    assert calls.read_text().split() == [callback["callbackId"]] * 2
    check_story(callback, 0, service)


@pytest.mark.parametrize("signal", ["kill", "stop"])
def test_a_callback_that_has_not_been_claimed_goes_out_after_the_restart(serving, signal):
    with receiving() as receiver:
        service = serving(endpoints=crm(receiver.url), delivery={"schedule": [3]})
        session = end_a_session(service)
        getattr(service, signal)()
        service.end_leases()
        service.start()
        receiver.wait_for(1)
        service.wait_until(lambda: is_delivered(service, session))
        assert [each["number"] for each in callback_of(service, session)["attempts"]] == [1]


def test_a_callback_that_is_under_way_is_finished_before_a_service_that_is_told_to_stop(serving, tmp_path):
    (tmp_path / "slow.py").write_text(TAKES_A_SECOND)
    service = serving(callbacks=["slow.py"])
    end_a_session(service)
    service.wait_until((tmp_path / "began").exists)
    assert service.stop() == 0
    assert (tmp_path / "finished").exists()
    assert service.sql("SELECT status, attempt FROM callbacks") == [("delivered", 1)]
