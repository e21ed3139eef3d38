import json
import time
from base64 import b64encode
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import pytest

from posted import body_of
from statekeeper import RetryLater, SessionEnded
from statekeeper.demo import business
from statekeeper.demo.business import note_every_end, open_account
from statekeeper.demo.subscribers import Inbox, Notice, read_ledger
from statekeeper.simulator.listener import Request
from statekeeper.trust.signing import sign

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + b64encode(bytes(32)).decode()
SESSION = UUID(int=1)
NOTICE = Notice("crm", SESSION, "completed")


def ended(callback_id: int) -> SessionEnded:
    at = datetime(2026, 1, 8, tzinfo=UTC)
    return SessionEnded(UUID(int=callback_id), SESSION, "flow", "live", "completed", at, None, [1, 2], True)


BODY = body_of(ended(1))


def request(callback_id: int, *, secrets: tuple[str, ...] = (SECRET,), body: bytes = BODY) -> Request:
    return Request("POST", "/", sign(secrets, str(UUID(int=callback_id)), int(time.time()), BODY), body)


def test_a_signed_callback_is_taken_once_however_often_it_comes():
    inbox = Inbox(SECRET)
    assert [inbox.answer(request(1)).status for _ in range(2)] == [HTTPStatus.OK] * 2
    assert inbox.notices == {NOTICE: {UUID(int=1)}}


def test_another_callback_id_for_the_same_is_seen():
    inbox = Inbox(SECRET)
    inbox.answer(request(1))
    inbox.answer(request(2))
    assert inbox.notices == {NOTICE: {UUID(int=1), UUID(int=2)}}


def test_one_of_several_signatures_suffices():
    assert Inbox(SECRET).answer(request(1, secrets=(OTHER, SECRET))).status is HTTPStatus.OK


@pytest.mark.parametrize(
    "forged", [request(1, secrets=(OTHER,)), request(1, body=BODY + b" "), Request("POST", "/", {}, BODY)]
)
def test_what_is_not_signed_right_is_refused_and_counted(forged: Request):
    inbox = Inbox(SECRET)
    assert inbox.answer(forged).status is HTTPStatus.UNAUTHORIZED
    assert (inbox.unsigned, inbox.notices) == (1, {})


def test_one_callback_in_ten_is_refused_once():
    inbox = Inbox(SECRET)
    answers = [inbox.answer(request(10)).status for _ in range(2)]
    assert answers == [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.OK]
    assert inbox.refused == {UUID(int=10)}
    assert inbox.notices == {NOTICE: {UUID(int=10)}}


async def test_the_functions_note_what_they_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    await note_every_end(ended(1))
    open_account(ended(2))
    assert read_ledger(business.LEDGER) == {
        Notice("note_every_end", SESSION, "completed"): {UUID(int=1)},
        Notice("open_account", SESSION, "completed"): {UUID(int=2)},
    }


def test_one_call_in_ten_fails_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(business, "_failed", set())
    with pytest.raises(RetryLater):
        open_account(ended(10))
    assert read_ledger(business.LEDGER) == {}
    open_account(ended(10))
    assert len(read_ledger(business.LEDGER)) == 1


def test_a_line_that_is_being_written_does_not_count_yet(tmp_path: Path):
    ledger = tmp_path / "ledger.jsonl"
    line = json.dumps({"function": "f", "callbackId": str(UUID(int=1)), "sessionId": str(SESSION), "state": "error"})
    ledger.write_text(line)
    assert read_ledger(ledger) == {}
    ledger.write_text(line + "\n" + line)
    assert read_ledger(ledger) == {Notice("f", SESSION, "error"): {UUID(int=1)}}


def test_the_broken_endpoint_takes_nothing():
    inbox = Inbox(SECRET)
    asked = Request("POST", "/archive", request(1).headers, BODY)
    assert inbox.answer(asked).status is HTTPStatus.INSUFFICIENT_STORAGE
    assert inbox.notices == {}
