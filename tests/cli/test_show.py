"""A session on the command line: as it is, the story of it, and its document."""

import pytest

ENDED = "fe1941c2-bc45-4142-b516-fa0fc9fd7754"
WAITING = "0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10"

pytestmark = pytest.mark.usefixtures("store")


def lines_of(result):
    assert result.exit_code == 0
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_session_is_shown_as_it_is_and_with_all_that_befell_it(run):
    lines = lines_of(run("show", ENDED))
    assert lines[0] == f"Session {ENDED}"
    assert "state completed" in lines
    assert "last step END-ACCEPT END" in lines
    assert "contiguous yes" in lines
    story = lines[lines.index("Timeline") + 2 :]
    assert lines[lines.index("Timeline") + 1] == "time what happened detail id"
    at = "2026-01-08T08:35:39.581Z"
    assert story[0] == (
        f"{at} session.created, number 1, arrived in its turn and took effect. applied, status CREATED e1"
    )
    assert story[1] == f"{at} pending became created, by session.created."
    assert story[3] == f"{at} created became completed, by session.completed."
    assert story[4].startswith(f"{at} A callback about completed was owed to crm. dead")
    assert story[6].startswith("2026-01-08T08:35:42.581Z Attempt 1 at crm failed: 503 from crm. It was the last:")
    assert story[7].startswith("2026-01-08T08:35:43.581Z Attempt 1 delivered the callback to mail. 7 ms")
    assert len(story) == 8


def test_a_callback_is_shown_with_the_id_that_a_retry_asks_for_in_one_piece(run):
    (dead, _) = run.json("show", ENDED)["callbacks"]
    assert any(line.endswith(f" {dead['callbackId']}") for line in lines_of(run("show", ENDED)))


def test_of_what_a_receiver_said_a_timeline_shows_the_first_line_and_the_document_all(run):
    shown = run("show", ENDED).stdout
    assert "answered: <h1>\\x1b[31mAway Away Away" in shown
    assert "Away …" in shown
    assert "for good" not in shown
    dead, delivered = run.json("show", ENDED)["callbacks"]
    assert dead["attempts"][0]["response"].endswith("</h1>\n<p>for good")
    assert (delivered["receipt"], delivered["attempts"][0]["response"]) == ("case 4711", None)


def test_a_timeline_shows_the_receipts_of_what_was_delivered(run):
    owed = [line for line in lines_of(run("show", ENDED)) if "was owed to mail. delivered, receipt case 4711" in line]
    assert len(owed) == 1


def test_a_session_that_waits_shows_what_for(run):
    lines = lines_of(run("show", WAITING))
    assert "held 3" in lines
    assert "missing 1, 2" in lines
    assert "last step" in lines
    assert any("Numbers 1 to 2 were missing when number 3 came." in line for line in lines)


def test_a_timeline_has_the_colours_of_what_it_tells(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run("show", ENDED).stdout
    assert "\x1b[32msession.completed, number 2, arrived in its turn" in shown
    assert "\x1b[31mAttempt 1 at crm failed" in shown
    assert "\x1b[33mNumbers 1 to 2 were missing" in run("show", WAITING).stdout


def test_the_history_document_comes_as_json(run):
    history = run.json("show", ENDED)
    assert list(history) == ["sessionId", "transitions", "events", "callbacks"]
    assert [step["target"] for step in history["transitions"]] == ["created", "completed"]
    assert [callback["status"] for callback in history["callbacks"]] == ["dead", "delivered"]


def test_a_session_may_be_named_in_upper_case(run):
    assert run.json("show", ENDED.upper())["sessionId"] == ENDED


def test_an_unknown_session_is_exit_1(run):
    unknown = "00000000-0000-4000-8000-000000000000"
    result = run("show", unknown, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: No session {unknown} is known.\n"


@pytest.mark.parametrize("key", ["x", "{" + ENDED + "}", ENDED.replace("-", "")])
def test_what_is_no_uuid_is_exit_2(run, key):
    result = run("show", key)
    assert result.exit_code == 2
    assert "takes a UUID in its canonical form" in result.stderr
