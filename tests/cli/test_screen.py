"""What a person sees of a table: on a terminal of so many columns, and through a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from uuid import UUID

import pytest
from rich.console import Console

from statekeeper.cli import screen

ENDED = KEY = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
OTHER = UUID("0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10")
WORDS = "what somebody wrote about it at some length, and then some more"


@pytest.fixture
def shown(monkeypatch, capsys):
    """The lines of a table on a terminal of so many columns; `shown.page(…)` those of more than one."""

    def show_page(columns, *parts):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setattr(screen, "Console", lambda **more: Console(width=columns, color_system=None, **more))
        screen.show_page(*parts)
        return capsys.readouterr().out.splitlines()

    def show(columns, names, *rows):
        return show_page(columns, screen.Part("Things", names, rows))

    show.page = show_page
    return show


def test_beside_an_id_words_are_folded_and_the_id_is_not(shown):
    lines = shown(80, ("id", "why"), (KEY, WORDS), (str(OTHER), "no"))
    assert [str(each) in "\n".join(lines) for each in (KEY, OTHER)] == [True, True]
    assert lines[1].startswith("╭")
    assert len(lines) > len("╭─┼─╰") + 2
    assert {len(line) for line in lines[1:]} <= set(range(81))


def test_where_ids_leave_no_room_a_row_is_a_line_for_the_terminal_to_break(shown):
    lines = shown(80, ("id", "of", "at"), (KEY, OTHER, "2026-01-08T08:35:37.581Z"))
    assert lines[2].split() == [str(KEY), str(OTHER), "2026-01-08T08:35:37.581Z"]


def test_a_column_of_ids_keeps_one_that_is_longer_in_one_piece(shown):
    lines = shown(100, ("id", "why"), (KEY, WORDS), ("e" * 60, WORDS))
    assert any("e" * 60 in line for line in lines)


def test_without_ids_what_is_too_long_is_folded(shown):
    lines = shown(40, ("url", "health"), (f"https://crm.example/{'x' * 60}", "closed"))
    assert lines[1].startswith("╭")
    assert {len(line) for line in lines[2:]} == {40}


def test_a_table_that_has_no_rows_has_its_head(shown):
    assert "session" in shown(80, ("session", "state"))[2]


@pytest.mark.parametrize(("columns", "framed"), [(80, 0), (120, 2)])
def test_the_tables_of_a_page_have_frames_all_or_none(shown, columns, framed):
    wide = screen.Part("Wide", ("id", "of", "at"), [(KEY, OTHER, "2026-01-08T08:35:37.581Z")])
    narrow = screen.Part("Narrow", ("what", "how many"), [("events", 5)])
    lines = shown.page(columns, wide, narrow)
    assert [line for line in lines if line in {"Wide", "Narrow"}] == ["Wide", "Narrow"]
    assert sum(line.startswith("╭") for line in lines) == framed


def on_a_terminal(columns, *arguments, directory):
    """What the command, as a process, writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "statekeeper", *arguments],
        stdout=theirs,
        cwd=directory,
        env=environment | {"TERM": "xterm"},
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # Linux says so at the end
        while read := os.read(ours, 65536):
            written += read
    os.close(ours)
    assert process.wait(30) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).splitlines()


@pytest.mark.usefixtures("store")
def test_on_a_real_terminal_of_80_columns_every_id_stands_in_one_line(tmp_path):
    for command in (("sessions",), ("callbacks",), ("feed", "--all"), ("show", str(ENDED))):
        lines = on_a_terminal(80, *command, directory=tmp_path)
        assert any(str(ENDED) in line for line in lines), lines


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("forced", [{}, {"FORCE_COLOR": "1", "COLUMNS": "40"}])
def test_through_a_pipe_a_row_is_a_line_even_where_colours_are_forced(tmp_path, forced):
    command = [sys.executable, "-m", "statekeeper", "callbacks"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | forced, check=True)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout).splitlines()
    assert [line.split()[1:4] for line in lines[2:]] == [
        [str(ENDED), "mail", "completed"],
        [str(ENDED), "crm", "completed"],
    ]
