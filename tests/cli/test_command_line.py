"""The front of the command line: its help, its exit codes, and how it complains."""

import subprocess
import sys
from importlib import import_module

import pytest
import rich_click as click
from click.testing import CliRunner

from statekeeper import cli
from statekeeper.core.errors import (
    AlreadyDelivered,
    Fault,
    NotFound,
    OperatorError,
    QueryRefused,
    SettingsError,
    StatechartError,
    Unavailable,
)


@pytest.mark.parametrize("name", list(cli.commands.commands))
def test_every_command_has_help_that_begins_with_its_line_in_the_list(run, name):
    result = run(name, "--help")
    assert result.exit_code == 0, result.output
    module = import_module(f"statekeeper.cli.{cli._FILES.get(name, name)}")
    command = getattr(module, name.replace("-", "_"))
    listed = cli.commands.commands[name].short_help
    assert command.help.split("\n")[0].split(":")[0].startswith(listed.removesuffix(".").split(":")[0])


def test_the_list_of_commands_is_in_the_order_of_their_use(run):
    result = run("--help")
    listed = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("│ ")]
    assert [name for name in listed if name in cli.commands.commands] == list(cli.commands.commands)
    assert listed.index("serve") < listed.index("show") < listed.index("config")


def test_the_list_of_commands_loads_none_of_them():
    script = (
        "import sys; from statekeeper import cli\n"
        "try: cli.commands(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'litestar', 'sqlalchemy', 'pydantic', 'httpx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


def test_the_version_is_told(run):
    assert run("--version").stdout.startswith("statekeeper, version ")


@pytest.mark.parametrize("arguments", [[], ["nope"], ["show"], ["sessions", "--nope"], ["show", "no-uuid"]])
def test_bad_usage_is_exit_2(run, arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotFound("session", 5), 1, "Error: No session 5 is known.\n"),
        (AlreadyDelivered(5), 1, "Error: Callback 5 has been delivered; there is nothing to retry.\n"),
        (Unavailable("The store is away.", reason="store"), 1, "Error: The store is away.\n"),
        (QueryRefused("limit", "must be one"), 2, "Error: limit: must be one\n"),
        (OperatorError("Port?"), 2, "Error: Port?\n"),
        (SettingsError((Fault("a", "x"), Fault("b", "y"))), 2, "Error: a: x\nError: b: y\n"),
        (StatechartError((Fault("a", "x"),)), 2, "Error: The statechart is not valid:\n  a: x\n"),
        (OperatorError("at postgresql://u:pw@h/d"), 2, "Error: at postgresql://u:***@h/d\n"),
    ],
)
def test_what_is_raised_is_told_in_clear_lines(error, code, said):
    @click.command()
    def fail():
        raise error

    result = CliRunner().invoke(cli.CommandLine(commands={"fail": fail}), ["fail"])
    assert (result.exit_code, result.stderr, result.stdout) == (code, said, "")


def test_why_a_store_does_not_answer_is_told_in_its_own_words():
    @click.command()
    def fail():
        raise Unavailable("The store does not answer.", reason="store") from OSError("connection refused")

    result = CliRunner().invoke(cli.CommandLine(commands={"fail": fail}), ["fail"])
    assert result.stderr == "Error: The store does not answer.\n  connection refused\n"


@pytest.mark.parametrize("start", [["-m", "statekeeper"], ["-c", "from statekeeper.__main__ import main; main()"]])
def test_a_real_process_has_the_exit_code_and_keeps_its_streams_apart(tmp_path, start):
    arguments = [sys.executable, *start, "sessions", "--database-url", "sqlite:///gone.db", "--json"]
    result = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: There is no store at gone.db yet; ")
    assert list(tmp_path.iterdir()) == []


def test_what_ctrl_c_interrupts_ends_as_a_shell_says_it():
    @click.command()
    def wait():
        raise KeyboardInterrupt

    result = CliRunner().invoke(cli.CommandLine(commands={"wait": wait}), ["wait"])
    assert (result.exit_code, result.stderr.strip()) == (130, "Aborted.")


STRUCK = """
import os, runpy, signal, sys

class Strike:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.{order})

sys.meta_path.insert(0, Strike())
{start}
"""
STARTS = [
    "from statekeeper.__main__ import main; main()",
    "runpy.run_module('statekeeper', run_name='__main__', alter_sys=True)",
]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("command", "module", "order", "code"),
    [
        ("demo", "rich_click", "SIGINT", 130),
        ("demo", "statekeeper.cli.demo", "SIGINT", 130),
        ("demo", "statekeeper.demo", "SIGINT", 130),
        ("demo", "rich_click", "SIGTERM", -15),
        ("serve", "rich_click", "SIGINT", 0),
        ("serve", "rich_click", "SIGTERM", 0),
        ("serve", "uvicorn", "SIGINT", 0),
        ("serve", "uvicorn", "SIGTERM", 0),
    ],
)
def test_a_signal_while_it_is_still_imported_ends_it_quietly(tmp_path, start, command, module, order, code):
    script = STRUCK.format(module=module, order=order, start=start)
    done = subprocess.run(
        [sys.executable, "-c", script, command], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "\nAborted.\n" if code == 130 else "")


def test_garbage_is_collected_again_once_a_command_is_imported():
    told = "import atexit, gc; atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10_000))"
    source = f"{told}; from statekeeper.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", source, "chart", "check"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"
