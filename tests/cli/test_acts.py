"""A session's gap is closed, and notes are put to it, at the command line."""

import getpass
import json
import socket
import sys

import pytest

from statekeeper.cli import actors

WAITING = "0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10"
WHY = ("--reason", "the provider says so")
FUNCTIONS = "from statekeeper import on_terminal\n@on_terminal(name='books')\ndef book(ended): raise SystemExit\n"
ENDPOINTS = (
    '[{"name": "erp", "url": "https://user:hidden@erp.example/", "states": ["error"],'
    ' "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"]}]'
)
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def subscribers(monkeypatch, tmp_path):
    """A function, an endpoint of the settings, and one in the store whose key is not known here."""
    (tmp_path / "books.py").write_text(FUNCTIONS)
    monkeypatch.setenv("STATEKEEPER_CALLBACKS", "books.py")
    monkeypatch.setenv("STATEKEEPER_ENDPOINTS", ENDPOINTS)
    monkeypatch.setattr(sys, "path", [*sys.path])  # where a file of functions is loaded from is put there


@pytest.fixture
def stored(run, store, monkeypatch):
    key = run("endpoints", "new-key").stdout.strip()
    monkeypatch.setenv("STATEKEEPER_ENCRYPTION_KEYS", key)
    assert (result := run("endpoints", "create", "shop", "https://shop.example/")).exit_code == 0, result.output
    monkeypatch.delenv("STATEKEEPER_ENCRYPTION_KEYS")


@pytest.mark.usefixtures("stored")
def test_a_gap_closed_here_is_owed_to_all_whom_the_service_would_tell(run):
    plan = run.json("close-gap", WAITING, "--dry-run")
    told = {each["subscriber"]: each["url"] for each in plan["callbacks"]}
    assert told == {"books": None, "erp": "https://user:***@erp.example/", "shop": None}
    done = run.json("close-gap", WAITING, *WHY, "--yes")
    assert {each["subscriber"] for each in done["effect"]["callbacks"]} == set(told)
    history = run.json("show", WAITING)
    assert {each["subscriber"] for each in history["callbacks"]} == set(told)
    assert [each["cause"] for each in history["transitions"]] == ["inferred", "event"]
    assert [each["sessionId"] for each in run.json("feed", "--after", 2, "--all")["items"]] == [WAITING] * 2


def test_what_it_would_come_to_is_shown_and_asked_before_it_is_done(run):
    refused = run("close-gap", WAITING, *WHY)
    assert refused.exit_code == 1
    for line in ("given up on: 1, 2", "state: pending, then error", "event: 3 session.error becomes applied"):
        assert line in refused.stderr
    assert "hidden" not in refused.output
    assert run.json("show", WAITING)["transitions"] == []
    assert run("close-gap", WAITING, *WHY, "--yes").stdout == f"The gap of session {WAITING} is closed.\n"


def test_a_dry_run_for_a_person_says_the_same(run):
    result = run("close-gap", WAITING, "--dry-run")
    assert (result.exit_code, "told: erp, error, https://user:***@erp.example/" in result.stdout) == (0, True)


def test_a_second_time_there_is_nothing_to_close(run):
    run("close-gap", WAITING, *WHY, "--yes")
    again = run("close-gap", WAITING, *WHY, "--yes")
    assert (again.exit_code, "no gap to close" in again.stderr) == (1, True)


@pytest.mark.parametrize("reason", [(), ("--reason", ""), ("--reason", " "), ("--reason", "x" * 501)])
def test_a_reason_is_needed(run, reason):
    assert run("close-gap", WAITING, *reason, "--yes").exit_code == 2


def test_a_function_that_cannot_be_loaded_stops_it_since_it_would_not_be_told(run, monkeypatch):
    monkeypatch.setenv("STATEKEEPER_CALLBACKS", "missing.py")
    assert run("close-gap", WAITING, *WHY, "--yes").exit_code == 2
    assert run.json("audit")["items"] == []


def test_a_note_is_in_the_trail_with_who_wrote_it_and_where(run):
    assert run("note", WAITING, "called the customer").stdout == f"The note is with session {WAITING}.\n"
    (entry,) = run.json("audit", "--session", WAITING)["items"]
    assert (entry["act"], entry["reason"], entry["via"]) == ("session.note", "called the customer", "cli")
    assert (entry["actor"], entry["role"], entry["origin"]) == (getpass.getuser(), "admin", socket.gethostname())


def test_a_note_to_a_session_that_is_unknown_is_refused(run):
    assert run("note", "00000000-0000-4000-8000-000000000000", "who?").exit_code == 1
    assert run("note", WAITING, " ").exit_code == 2


def test_who_has_no_name_acts_by_number(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert actors.actor().name.startswith("uid ")


def test_a_delivered_callback_is_sent_once_more(run):
    (done,) = run.json("callbacks", "--status", "delivered")["items"]
    key = done["callbackId"]
    plan = json.loads(run("callbacks", "resend", key, *WHY, "--dry-run", "--json").stdout)
    assert [each["status"] for each in plan["callbacks"]] == ["delivered"]
    assert run("callbacks", "resend", key, *WHY).stdout == f"Callback {key} is due now.\n"
    assert run.json("audit", "--callback", key)["items"][0]["act"] == "callback.resend"
    assert run("callbacks", "resend", key, *WHY).exit_code == 1
    assert run("callbacks", "resend", key).exit_code == 2
