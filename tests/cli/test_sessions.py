import pytest

ENDED = "fe1941c2-bc45-4142-b516-fa0fc9fd7754"
WAITING = "0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10"

pytestmark = pytest.mark.usefixtures("store")


def listed(run, *arguments):
    return [item["sessionId"] for item in run.json("sessions", *arguments)["items"]]


def test_sessions_are_listed_the_newest_change_first(run):
    assert listed(run) == [WAITING, ENDED]
    result = run("sessions")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[1].split() == ["session", "state", "environment", "flow", "held", "changed"]
    assert lines[2].split()[:3] == [WAITING, "pending", "live"]
    assert lines[3].split()[:3] == [ENDED, "completed", "live"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--state", "completed"], [ENDED]),
        (["--state", "completed", "--state", "pending"], [WAITING, ENDED]),
        (["--terminal"], [ENDED]),
        (["--no-terminal"], [WAITING]),
        (["--environment", "live"], [WAITING, ENDED]),
        (["--environment", "staging"], []),
        (["--flow-id", "gone"], []),
        (["--updated-after", "2026-01-08T08:35:39.581Z"], [WAITING]),
        (["--updated-before", "2026-01-08T09:35:40.581+01:00"], [ENDED]),
    ],
)
def test_filters_are_those_of_the_api(run, arguments, found):
    assert listed(run, *arguments) == found


def test_a_list_goes_on_behind_its_cursor(run):
    first = run.json("sessions", "--limit", 1)
    assert first["nextCursor"]
    assert listed(run, "--cursor", first["nextCursor"]) == [ENDED]
    assert run("sessions", "--limit", 1).stdout.endswith(f"More: --cursor {first['nextCursor']}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--limit", "0"], "0 is not in the range"),
        (["--limit", "201"], "201 is not in the range"),
        (["--cursor", "x"], "must be the nextCursor of an earlier page"),
        (["--state", "gone"], "there is no gone; there are pending, created"),
        (["--updated-after", "yesterday"], "takes an RFC 3339 time with its offset"),
        (["--updated-before", "2026-01-08T08:35:39"], "takes an RFC 3339 time with its offset"),
    ],
)
def test_a_bad_filter_is_exit_2(run, arguments, said):
    result = run("sessions", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_what_came_from_outside_cannot_command_the_terminal(run):
    shown = run("sessions").stdout
    assert "\x1b" not in shown
    assert "f\\x1b[31m1" in shown


def test_a_history_is_shown_as_tables(run):
    result = run("show", ENDED)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert f"Session {ENDED}" in lines
    assert "state completed" in lines
    assert "last step END-ACCEPT END" in lines
    assert "contiguous yes" in lines
    assert any(line.startswith("1 pending created session.created event 1 2026-01-08T08:35:39.581Z") for line in lines)
    assert any(line.startswith("2 session.completed e2 applied COMPLETED") for line in lines)
    assert any("crm completed dead 1 failed 2026-01-08T08:35:42.581Z 7 ms: 503 from crm" in line for line in lines)


def test_of_what_a_receiver_said_a_history_shows_the_first_line_and_its_document_all(run):
    shown = run("show", ENDED).stdout
    assert "503 from crm (<h1>\\x1b[31mAway Away Away" in shown
    assert "Away …)" in shown
    assert "for good" not in shown
    dead, delivered = run.json("show", ENDED)["callbacks"]
    assert dead["attempts"][0]["response"].endswith("</h1>\n<p>for good")
    assert (delivered["receipt"], delivered["attempts"][0]["response"]) == ("case 4711", None)


def test_a_history_shows_the_receipts_of_what_was_delivered(run):
    lines = [" ".join(line.split()) for line in run("show", ENDED).stdout.splitlines()]
    assert any("mail completed delivered case 4711 1 delivered" in line for line in lines)


def test_a_session_that_waits_shows_what_for(run):
    lines = [" ".join(line.split()) for line in run("show", WAITING).stdout.splitlines()]
    assert "held 3" in lines
    assert "missing 1, 2" in lines
    assert "last step" in lines


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


def test_who_wants_colours_gets_them_and_still_no_commands_from_outside(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run("sessions").stdout
    assert "\x1b[33mpending" in shown
    assert "f\\x1b[31m1" in shown
