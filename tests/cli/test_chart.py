import json
from pathlib import Path

import pytest

from statekeeper.core import proof
from statekeeper.core.proof import Case, Way
from statekeeper.core.tellings import stories
from statekeeper.resources import default_chart

CHART = {
    "id": "parcel",
    "initial": "packed",
    "states": {"packed": {"on": {"sent": "sent"}}, "sent": {"type": "final"}},
}


@pytest.fixture
def parcel():
    Path("parcel.json").write_text(json.dumps(CHART), encoding="utf-8")
    return "parcel.json"


def test_the_built_in_chart_is_checked_without_a_file(run):
    result = run("chart", "check")
    assert result.exit_code == 0
    assert result.stdout == (
        "idnow-session is valid: 6 states, 5 transitions; it ends in aborted, completed, error, expired; "
        f"version {default_chart().version}\n"
    )


def test_a_chart_of_ones_own_is_checked(run, parcel):
    assert run.json("chart", "check", parcel) == {
        "id": "parcel",
        "version": run.json("chart", "check", parcel)["version"],
        "initial": "packed",
        "states": ["packed", "sent"],
        "finals": ["sent"],
        "transitions": 1,
    }


@pytest.mark.parametrize("command", ["check", "draw", "prove"])
def test_a_chart_that_is_not_valid_is_exit_1_with_every_fault(run, command):
    bad = {**CHART, "states": {**CHART["states"], "lost": {"on": {"found": "gone"}}}}
    Path("bad.json").write_text(json.dumps(bad), encoding="utf-8")
    result = run("chart", command, "bad.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The statechart is not valid:\n  states.lost.on.found: leads to no state")


@pytest.mark.parametrize("text", ["{", "states: [", "\tx"])
def test_a_file_that_is_no_chart_is_exit_1(run, text):
    Path("bad.yaml").write_text(text, encoding="utf-8")
    result = run("chart", "check", "bad.yaml")
    assert result.exit_code == 1
    assert "is neither YAML nor JSON" in result.stderr


def test_a_file_that_is_not_there_is_exit_1(run):
    result = run("chart", "check", "gone.yaml")
    assert (result.exit_code, result.stderr) == (1, "Error: gone.yaml cannot be read: No such file or directory\n")


def test_the_drawing_is_mermaid_from_the_chart(run, parcel):
    result = run("chart", "draw", parcel)
    assert result.exit_code == 0
    assert result.stdout == (default_chart().diagram() if parcel is None else result.stdout)
    assert result.stdout.startswith("stateDiagram-v2\n")
    assert "packed --> sent: sent\n" in result.stdout
    assert run("chart", "draw").stdout == default_chart().diagram()


def test_the_proof_says_how_many_cases_it_checked(run, parcel):
    checked = run.json("chart", "prove", parcel)
    assert checked == {"checked": proof.count(default_chart()) and checked["checked"], "faults": []}
    assert checked["checked"] > 0
    result = run("chart", "prove", parcel)
    assert (result.exit_code, result.stdout) == (
        0,
        f"parcel: {checked['checked']} cases checked, all as they must be\n",
    )


@pytest.mark.parametrize("faulty", [1, 25])
def test_a_proof_that_fails_is_exit_1_and_shows_where(run, monkeypatch, faulty):
    story = next(stories(default_chart()))
    case = Case(Way.LOSS, story, story.events, ("ended in error, not in completed",))
    monkeypatch.setattr("statekeeper.cli.chart.prove", lambda _chart: iter([case] * faulty))
    result = run("chart", "prove")
    assert result.exit_code == 1
    assert "ended in error, not in completed" in result.stdout
    assert f"idnow-session: {faulty} cases checked, {faulty} of them wrong" in result.stdout
    assert ("and 5 more" in result.stdout) == (faulty > 20)
    assert len(json.loads(run("chart", "prove", "--json").stdout)["faults"]) == faulty
