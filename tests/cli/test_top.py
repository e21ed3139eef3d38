import os
import pty
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from statekeeper.cli.top import draw, sparkline
from statekeeper.store.queries.overview import Minute, Overview
from statekeeper.store.waiting import Owed

NOW = datetime(2026, 1, 8, 9, 0, 30, tzinfo=UTC)


def told(overview: Overview) -> str:
    console = Console(width=200, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    console.print(draw(overview))
    console.file.close()
    return re.sub(" +", " ", console.export_text())


def minutes(*events: dict[str, int]) -> list[Minute]:
    return [Minute(NOW + timedelta(minutes=n), each, {}, None, None) for n, each in enumerate(events)]


def test_a_glance_shows_where_sessions_are_what_came_and_what_waits():
    refused = Minute(NOW, {}, {"signature": 2}, 0.004, 0.02)
    text = told(
        Overview(
            at=NOW,
            states={"completed": 1500, "created": 30},
            minutes=[*minutes({"applied": 4}, {}, {"applied": 8, "held": 1}), refused],
            refusals={"signature": 2},
            p50=0.004,
            p99=0.02,
            held=3,
            held_since=NOW - timedelta(seconds=75),
            owed=[Owed("crm", 12, 0, NOW - timedelta(hours=2)), Owed("archive\x1b[31m", 0, 1234, None)],
        )
    )
    for line in (
        "Statekeeper at 2026-01-08T09:00:30.000Z",
        "completed 1,500 " + "█" * 30,
        "created 30 █",
        "applied 12 ▄ █",
        "held 1 █",
        "refused: signature 2 █",
        "sessions with a gap 3 0:01:15",
        "the oldest callback that is due 2:00:00",
        "answers of 200: half, and 99 in 100, within 4 ms, 20 ms",
        "crm 12 0",
        "archive\\x1b[31m 0 1,234",
    ):
        assert line in text


def test_an_empty_store_is_shown_as_one():
    text = told(Overview(NOW, {}, minutes({}), {}, None, None, 0, None, []))
    assert "sessions with a gap 0" in text
    assert "within -, -" in text


@pytest.mark.parametrize(
    ("series", "blocks"), [([], ""), ([0, 0], "  "), ([1], "█"), ([0, 1, 50, 100], " ▁▄█"), ([7, 7], "██")]
)
def test_numbers_become_blocks(series, blocks):
    assert sparkline(series) == blocks


@pytest.mark.usefixtures("store")
def test_where_nobody_watches_it_looks_once(run):
    result = run("top")
    assert result.exit_code == 0
    assert re.search(r"completed +1 ", result.stdout)
    assert re.search(r"crm +0 +1", result.stdout)


@pytest.mark.usefixtures("store")
def test_on_a_terminal_it_looks_again_until_it_is_told_to_stop(tmp_path):
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "statekeeper", "top", "--interval", "0.5"]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        try:
            seen = b""
            while seen.count(b"Statekeeper at") < 2:
                seen += os.read(leader, 65536)
            process.send_signal(signal.SIGINT)
            assert (process.wait(30), process.stderr.read()) == (0, b"")
        finally:
            process.kill()
            os.close(follower)
            os.close(leader)
