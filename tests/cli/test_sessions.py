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


def test_who_wants_colours_gets_them_and_still_no_commands_from_outside(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run("sessions").stdout
    assert "\x1b[33mpending" in shown
    assert "f\\x1b[31m1" in shown
