import socket
from pathlib import Path

import pytest

from statekeeper.store import schema

URL = "sqlite:///own.db"
KEY = "6ba7b810-9dad-51d1-80b4-00c04fd430c8"


@pytest.mark.parametrize("command", ["check", "current"])
def test_to_ask_makes_no_store(run, command):
    result = run("db", command, "--database-url", URL)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: There is no store at own.db yet; `statekeeper serve` or `statekeeper db upgrade` makes one.\n"
    )
    assert not Path("own.db").exists()


def test_an_upgrade_makes_a_store_and_a_second_one_changes_nothing(run):
    first = run("db", "upgrade", "--database-url", URL)
    assert (first.exit_code, first.stdout) == (0, f"Upgraded from nothing to {schema.head()}.\n")
    second = run("db", "upgrade", "--database-url", URL)
    assert (second.exit_code, second.stdout) == (0, f"The schema is {schema.head()} already.\n")


def test_a_right_schema_is_exit_0(run):
    run("db", "upgrade", "--database-url", URL)
    assert run("db", "check", "--database-url", URL).exit_code == 0
    assert run("db", "current", "--database-url", URL).stdout == f"{schema.head()}\n"
    assert run.json("db", "current", "--database-url", URL) == {"current": schema.head(), "needed": schema.head()}


def test_an_empty_store_is_exit_2_and_says_what_to_do(run):
    Path("own.db").touch()
    assert run("db", "current", "--database-url", URL).stdout == "no schema yet\n"
    result = run("db", "check", "--database-url", URL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: The store has no schema yet; run `statekeeper db upgrade`.\n"


@pytest.mark.parametrize(
    "command",
    [["sessions"], ["show", KEY], ["callbacks"], ["callbacks", "retry", KEY], ["refusals"]],
    ids=" ".join,
)
def test_nothing_is_asked_of_a_store_without_the_schema(run, command):
    Path("own.db").touch()
    result = run(*command, "--database-url", URL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: The store has no schema yet; run `statekeeper db upgrade`.\n"


def test_a_file_that_is_no_store_is_exit_2(run):
    Path("own.db").write_text("no database, but long enough to have been one", encoding="utf-8")
    for command in ("check", "current", "upgrade"):
        result = run("db", command, "--database-url", URL)
        assert (result.exit_code, result.stderr) == (2, "Error: own.db cannot be the store: file is not a database.\n")


def test_a_file_that_cannot_be_made_is_exit_2(run):
    result = run("db", "upgrade", "--database-url", "sqlite:////gone/own.db")
    assert result.exit_code == 2
    assert result.stderr == "Error: /gone/own.db cannot be the store: unable to open database file.\n"


def test_a_server_that_does_not_answer_is_exit_1(run):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = run("db", "upgrade", "--database-url", f"postgresql://127.0.0.1:{port}/db")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The store does not answer, or is full.\n  ")
    assert "Connect call failed" in result.stderr


def test_postgresql_is_upgraded_on_request(run, postgres_server):
    postgres_server.psql("CREATE DATABASE of_the_command_line;")
    url = postgres_server.get_uri(database="of_the_command_line")
    assert run("db", "check", "--database-url", url).exit_code == 2
    assert run("db", "upgrade", "--database-url", url).stdout == f"Upgraded from nothing to {schema.head()}.\n"
    assert run("db", "check", "--database-url", url).exit_code == 0
    assert run.json("sessions", "--database-url", url) == {"items": [], "nextCursor": None}
    result = run("sessions", "--database-url", postgres_server.get_uri(database="gone"))
    assert (result.exit_code, result.stderr) == (
        2,
        'Error: The store cannot be used: database "gone" does not exist\n',
    )
