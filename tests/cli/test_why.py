import pytest

from statekeeper.cli.why import _in_one_line

ENDED = "fe1941c2-bc45-4142-b516-fa0fc9fd7754"
WAITING = "0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10"

DEAD = (
    "The callback to crm (completed) is dead: its only attempt at 2026-01-08T08:35:42.581Z failed (503 from crm); it is"
    " not sent again unless somebody retries it."
)
OVERDUE = (
    "Numbers 1, 2 have been overdue since 2026-01-08T08:36:40.581Z: when the service next gives them up, it becomes"
    " error."
)

pytestmark = pytest.mark.usefixtures("store")


def test_a_session_that_has_ended_is_told_in_sentences(run):
    result = run("why", ENDED)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "It is completed: number 2 (session.completed) ended it at 2026-01-08T08:35:39.581Z.",
        DEAD,
        "",
        "Events",
        "  Number 1 (session.created) moved the session from pending to created.",
        "  Number 2 (session.completed) moved the session from created to completed.",
        "",
        "Callbacks",
        f"  {DEAD}",
        "  The callback to mail (completed) was delivered at 2026-01-08T08:35:43.581Z.",
    ]


def test_a_session_that_waits_says_what_for_by_the_settings_gap_timeout(run, monkeypatch):
    monkeypatch.setenv("STATEKEEPER_ORDERING__GAP_TIMEOUT", "60")
    assert run("why", WAITING).stdout.splitlines() == [
        "It has waited for numbers 1, 2 since 2026-01-08T08:35:40.581Z: number 3 (session.error) has come before them.",
        OVERDUE,
        "",
        "Events",
        "  Number 3 (session.error) is held: it waits for numbers 1, 2.",
    ]


def test_the_document_of_the_api_comes_as_json(run):
    told = run.json("why", ENDED.upper())
    assert list(told) == ["sessionId", "state", "summary", "events", "callbacks"]
    assert (told["sessionId"], told["state"]) == (ENDED, "completed")
    assert [event["disposition"] for event in told["events"]] == ["applied", "applied"]
    assert [callback["status"] for callback in told["callbacks"]] == ["dead", "delivered"]


def test_an_unknown_session_is_exit_1(run):
    unknown = "00000000-0000-4000-8000-000000000000"
    result = run("why", unknown)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: No session {unknown} is known.\n"


def test_what_is_no_uuid_is_exit_2(run):
    assert run("why", "x").exit_code == 2


def test_a_line_break_in_an_events_name_breaks_no_line():
    assert _in_one_line("Number 1 (x\nCallbacks) is held.") == "Number 1 (x\\nCallbacks) is held."
