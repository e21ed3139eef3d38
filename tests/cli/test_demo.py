import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statekeeper.cli import commands
from statekeeper.cli import demo as module
from statekeeper.demo import Report, run
from statekeeper.simulator.plots import tell
from statekeeper.simulator.stories import Day

WATCHED = """
from statekeeper.cli import commands, demo
demo.Bars.__call__ = lambda self, what, done, total: print(what, flush=True)
commands(["demo", "--sessions", "50"])
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day in a second; the service would have to wait for a new key that came so soon."""
    monkeypatch.setattr(module, "run", lambda day, watch, keep: run(replace(day, rotations=()), watch, 1, keep))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(module.demo, arguments)


def report(monkeypatch: pytest.MonkeyPatch, **parts) -> None:
    async def at_once(day: Day, _watch, **_keep) -> Report:
        assert day == tell(1000, 1)
        return Report(**parts)

    monkeypatch.setattr(module, "run", at_once)


@pytest.mark.usefixtures("quick")
def test_a_day_is_played_and_all_is_well():
    result = invoke("--sessions", "40", "--seed", "7")
    assert result.exit_code == 0, result.output
    assert "✓ Every callback due has come" in result.stdout
    for table in ("The sender", "The service", "The subscribers"):
        assert table in result.stdout
    assert result.stdout.endswith(
        "  statekeeper serve --config statekeeper-demo/statekeeper.toml\n  http://127.0.0.1:8000/console\n"
    )
    dead = CliRunner().invoke(commands, ["callbacks", "--config", "statekeeper-demo/statekeeper.toml", "--json"])
    assert {each["subscriber"] for each in json.loads(dead.stdout)["items"]} >= {"crm", "note_every_end"}


@pytest.mark.usefixtures("quick")
def test_what_was_measured_comes_as_json():
    result = invoke("--sessions", "20", "--json")
    measured = json.loads(result.stdout)
    assert result.exit_code == 0
    assert measured["well"]
    assert measured["forgeriesThatCounted"] == 0
    assert all(counts["due"] == counts["arrived"] for counts in measured["callbacks"].values())


def test_whatever_must_not_be_is_told_and_ends_it_with_1(monkeypatch: pytest.MonkeyPatch):
    report(monkeypatch, faults=[f"fault {number}" for number in range(12)])
    result = invoke()
    assert result.exit_code == 1
    assert "✗ fault 0\n" in result.stdout
    assert "and 2 more" in result.stdout
    assert "✓" not in result.stdout


def test_by_default_it_plays_the_same_thousand_sessions(monkeypatch: pytest.MonkeyPatch):
    report(monkeypatch)
    assert invoke("--json").exit_code == 0


def test_each_thing_that_is_done_has_its_bar():
    bars = module.progress()
    watch = module.Bars(bars)
    for done in (1, 2):
        watch("Webhooks", done, 3)
    watch("Callbacks", 5, 5)
    assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
        ("Webhooks", 2, 3),
        ("Callbacks", 5, 5),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_that_it_starts_survives_it(order: signal.Signals, tmp_path: Path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout.readline() == "Webhooks\n"
        [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        service = os.pidfd_open(int(child))
        process.send_signal(order)
        gone, _, _ = select.select([service], [], [], 20)
        os.close(service)
        _, errors = process.communicate()
    assert gone
    if order is not signal.SIGKILL:
        assert process.returncode == 130
        assert "Aborted" in errors
        assert "Traceback" not in errors
        assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_cancelled_is_aborted(monkeypatch: pytest.MonkeyPatch):
    async def cancelled(_day: Day, _watch, **_keep) -> Report:
        raise asyncio.CancelledError

    monkeypatch.setattr(module, "run", cancelled)
    result = CliRunner().invoke(commands, ["demo"])
    assert (result.exit_code, result.stderr.strip()) == (130, "Aborted.")
