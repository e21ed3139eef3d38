import asyncio
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

from statekeeper.demo import run
from statekeeper.demo.service import NotServing, ServiceProcess
from statekeeper.simulator.plots import Faults, tell

MODULE = import_module("statekeeper.demo.run")
DAY = replace(tell(60, 7, Faults().times(2)), rotations=())


def silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


async def test_a_service_that_is_right_passes():
    seen = []
    report = await run(DAY, lambda what, done, total: seen.append((what, done, total)), seconds=1)
    assert report.faults == []
    assert report.well
    assert report.told == report.due
    assert set(report.due) == {"crm", "note_every_end", "open_account"}
    assert report.examined == report.states.total()
    assert report.inferred > 0
    assert report.forged == 0
    assert report.seconds > 1
    assert report.to_json()["well"] is True
    assert {what for what, _, _ in seen} == {"Webhooks", "Callbacks", "Histories"}
    assert all((what, total, total) in seen for what, _, total in seen)


BROKEN = {
    "gaps stay open": """
        from statekeeper.engine import Engine
        async def close_nothing(self): return 0
        Engine.close_gaps = close_nothing
        """,
    "the chart is misread": """
        from statekeeper.core.statechart import Statechart
        read = Statechart.target
        Statechart.target = lambda chart, state, name: read(chart, state, name.replace("completed", "aborted"))
        """,
    "a callback is not written": """
        import statekeeper.core.callbacks as callbacks
        all_due = callbacks.callbacks_due
        callbacks.callbacks_due = lambda *given: all_due(*given)[:-1]
        """,
    "the relay claims nothing": """
        from statekeeper.delivery.relay import Relay
        async def start_nothing(self): return []
        Relay._start_due = start_nothing
        """,
    "signatures are wrong": """
        import statekeeper.trust.signing as signing
        right = signing.sign
        signing.sign = lambda secrets, name, at, body: right(secrets, name, at, body + b" ")
        """,
    "everybody is believed": """
        import statekeeper.trust.verification as verification
        verification.verify = lambda token, *_: token.claims
        """,
}


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("gaps stay open", "must be completed"),
        ("the chart is misread", "no legal path"),
        ("a callback is not written", "was not told"),
        ("the relay claims nothing", "was not told"),
        ("signatures are wrong", "without a right signature"),
        ("everybody is believed", "only a forger spoke of it"),
    ],
)
async def test_a_service_that_is_broken_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, complaint: str
):
    sabotage(tmp_path, monkeypatch, BROKEN[what])
    report = await run(DAY, silent, seconds=1)
    assert not report.well
    assert complaint in "\n".join(report.faults)


async def test_a_service_that_dies_fails(monkeypatch: pytest.MonkeyPatch):
    async def kill_first(demo, service: ServiceProcess) -> None:
        service.process.kill()
        await service.process.wait()
        await settle(demo, service)

    settle = MODULE._Demo.settle
    monkeypatch.setattr(MODULE._Demo, "settle", kill_first)
    report = await run(DAY, silent, seconds=1)
    assert "the service does not answer: ConnectError" in report.faults[0]
    assert report.faults[-1] == "the service ended with exit code -9"


async def test_a_service_that_takes_nothing_is_given_up_on(monkeypatch: pytest.MonkeyPatch):
    async def hang(*_given, **_named) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(MODULE, "play", hang)
    monkeypatch.setattr(MODULE, "_STALLED", -1 + 0.1)
    with pytest.raises(NotServing, match=r"stopped taking webhooks\.\n(.|\n)*serving"):
        await run(DAY, silent, seconds=1)


def sabotage(directory: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Break the service, and only the service: Python runs this file when it starts."""
    (directory / "sitecustomize.py").write_text(dedent(source))
    monkeypatch.setenv("PYTHONPATH", str(directory))
    monkeypatch.setattr(MODULE, "_SETTLED_WITHIN", 3)
