"""`statekeeper feed`: what it shows, and how consumers are made, moved and forgotten."""

import pytest

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
