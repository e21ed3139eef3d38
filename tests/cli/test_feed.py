"""`statekeeper feed`: what it shows and follows, and how consumers are made, moved and forgotten."""

import json
import re
import signal
from uuid import UUID

import pytest

from following import following, take

pytestmark = pytest.mark.usefixtures("store")


def test_ends_are_listed_and_every_step_if_asked_for(run):
    lines = run("feed").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == ["2"]
    assert lines[-1] == "More: --after 2"
    assert [each["state"] for each in run.json("feed", "--all")["items"]] == ["created", "completed"]


def test_a_page_comes_as_the_api_answers_it(run):
    page = run.json("feed", "--after", 1, "--state", "completed")
    assert [each["position"] for each in page["items"]] == ["2"]
    assert page["nextCursor"] == "2"


def test_behind_the_newest_step_there_is_nothing(run):
    assert "Nothing behind 2 yet." in run("feed", "--after", 2).stdout


def test_a_position_that_was_never_given_is_bad_usage(run):
    result = run("feed", "--after", 3)
    assert result.exit_code == 2
    assert "beyond the head" in result.stderr


def test_a_consumer_is_made_moved_shown_and_forgotten(run):
    assert "made" in run("feed", "consumers", "set", "crm", "start", "--transitions", "all").stdout
    (crm,) = run.json("feed", "consumers")["items"]
    assert (crm["name"], crm["position"], crm["lag"], crm["transitions"]) == ("crm", "0", 2, "all")
    assert re.search(r"crm +all +0 +2 +\d+\.\d *$", run("feed", "consumers").stdout, re.MULTILINE)
    assert "moved" in run("feed", "consumers", "set", "crm", "end", "--expected", 0).stdout
    assert run("feed", "consumers").stdout.splitlines()[2].split()[:4] == ["crm", "all", "2", "0"]
    assert run("feed", "consumers", "delete", "crm", "--yes").exit_code == 0
    assert run.json("feed", "consumers") == {"items": [], "head": "2"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("set", "crm", "soon"), 2),
        (("set", "crm", "-1"), 2),
        (("set", "crm", "3"), 2),
        (("set", "crm", "0", "--expected", "0"), 1),
        (("delete", "crm", "--yes"), 1),
    ],
)
def test_what_cannot_be_is_said(run, arguments, code):
    assert run("feed", "consumers", *arguments).exit_code == code


@pytest.mark.parametrize("name", ["", "x" * 256, "a\x00b", "a\udc80", "a/b"])
@pytest.mark.parametrize("act", [("set", "start"), ("delete", "--yes")])
def test_a_name_that_the_api_would_refuse_is_refused_here_too(run, name, act):
    verb, then = act
    result = run("feed", "consumers", verb, name, then)
    told = "Error: name: must be a text of 1 to 255 characters, without a slash\n"
    assert (result.exit_code, result.stderr) == (2, told)
    assert run.json("feed", "consumers")["items"] == []


def test_steps_are_followed_a_line_each_from_now_on(tmp_path):
    with following("feed", "--follow") as feed:
        assert feed.said == "Steps after position 2, until Ctrl-C:\n"
        take(tmp_path, 7)
        assert feed.line().split() == [
            "2026-01-08T08:35:38.581Z",
            "4",
            str(UUID(int=7)),
            *("created", "→", "completed", "session.completed,", "event"),
        ]
        take(tmp_path, 8)
        assert feed.line().split()[1:3] == ["6", str(UUID(int=8))]
        assert feed.end(signal.SIGINT) == (0, "")


@pytest.mark.parametrize("after", [0, 1])
def test_steps_are_followed_as_lines_of_json_from_any_position(run, tmp_path, after):
    with following("feed", "--follow", "--after", str(after), "--all", "--json") as feed:
        lines = [feed.line() for _ in range(2 - after)]
        take(tmp_path, 7)
        lines += [feed.line(), feed.line()]
        assert feed.end() == (0, "")
    assert [json.loads(line) for line in lines] == run.json("feed", "--after", after, "--all")["items"]


def test_whoever_closes_the_pipe_ends_it_without_a_word(tmp_path):
    with following("feed", "--follow", "--json") as feed:
        feed._process.stdout.close()
        take(tmp_path, 7)
        assert (feed._process.wait(30), feed._process.stderr.read()) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(("--limit", "5"), "give it or --limit"), (("--after", "3"), "beyond the head"), (("--after", "x"), "--after")],
)
def test_what_cannot_be_followed_is_bad_usage(run, arguments, complaint):
    result = run("feed", "--follow", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
