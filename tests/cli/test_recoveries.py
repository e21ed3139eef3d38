import asyncio
import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from statekeeper.cli import commands
from statekeeper.store import recovery
from statekeeper.store.database import Database
from statekeeper.store.tables import EndpointRow, table

pytestmark = pytest.mark.usefixtures("store")
SINCE = ["--since", "2026-01-01T00:00:00Z"]


def statuses(run, subscriber):
    return [item["status"] for item in run.json("callbacks", "--subscriber", subscriber)["items"]]


@pytest.fixture
def endpoints(tmp_path):
    """Three in the settings; all came late, and one wants notices only."""
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    filters = {
        "erp": "",
        "tests": 'environments = ["test"]',
        "ops": 'transitions = "none"\nnotices = ["callback.dead"]',
    }
    for name, wanted in filters.items():
        with (tmp_path / "statekeeper.toml").open("a") as file:
            file.write(
                f'[[endpoints]]\nname = "{name}"\nurl = "https://{name}.example"\nsecrets = ["{secret}"]\n{wanted}\n'
            )


# --- recover ------------------------------------------------------------------------------------------------------


def test_a_dry_run_says_how_many_are_dead_and_changes_nothing(run):
    result = run("callbacks", "recover", "crm", *SINCE, "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout == "1 dead callback of crm, created since 2026-01-01T00:00:00.000Z.\n"
    assert statuses(run, "crm") == ["dead"]
    plan = run.json("callbacks", "recover", "crm", *SINCE, "--dry-run")
    assert plan.pop("until") > plan["since"]
    assert plan == {
        "kind": "retry",
        "subscriber": "crm",
        "since": "2026-01-01T00:00:00.000Z",
        "total": 1,
        "dryRun": True,
    }


def test_the_dead_are_due_once_the_number_has_been_agreed_to(run):
    arguments = ["callbacks", "recover", "crm", *SINCE]
    refused = CliRunner().invoke(commands, arguments, input="n\n")
    assert (refused.exit_code, statuses(run, "crm")) == (1, ["dead"])
    assert "1 dead callback of crm" in refused.stderr
    agreed = CliRunner().invoke(commands, arguments, input="y\n")
    assert (agreed.exit_code, agreed.stdout) == (0, "1 callback of crm is due now.\n")
    assert statuses(run, "crm") == ["pending"]


def test_nobody_is_asked_about_nothing_or_with_yes(run):
    assert run("callbacks", "recover", "mail", *SINCE).stdout == "0 callbacks of mail are due now.\n"
    document = run.json("callbacks", "recover", "crm", *SINCE, "--yes")
    assert (document["total"], document["done"], document["kind"]) == (1, 1, "retry")
    assert document["finishedAt"] >= document["createdAt"]


def test_a_time_may_go_back_from_now(run):
    for since in ("1s", "1m", "1h", "1d"):
        assert run.json("callbacks", "recover", "crm", "--since", since, "--dry-run")["total"] == 0
    plan = run.json("callbacks", "recover", "crm", "--since", "5200w", "--dry-run")
    assert plan["total"] == 1
    assert datetime.fromisoformat(plan["since"]).year < datetime.now(UTC).year - 90


@pytest.mark.parametrize(
    "since", ["2x", "h", "", "999999999w", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "-2h"]
)
def test_what_is_no_time_is_exit_2(run, since):
    result = run("callbacks", "recover", "crm", "--since", since)
    assert result.exit_code == 2
    assert "takes a duration back from now, like 30m, 2h or 3d, or an RFC 3339" in re.sub(r"[\s│]+", " ", result.stderr)


def test_a_time_must_be_given(run):
    assert run("callbacks", "recover", "crm").exit_code == 2
    assert run("callbacks", "backfill", "crm").exit_code == 2


# --- backfill -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("endpoints")
def test_a_new_endpoint_gets_what_it_missed_and_nothing_twice(run):
    result = run("callbacks", "backfill", "erp", *SINCE, "--dry-run")
    said = "1 callback that erp has missed, of sessions that ended since 2026-01-01T00:00:00.000Z.\n"
    assert (result.exit_code, result.stdout) == (0, said)
    assert run("callbacks", "backfill", "erp", *SINCE, "--yes").stdout == "1 callback of erp is due now.\n"
    assert run("callbacks", "backfill", "erp", *SINCE, "--yes").stdout == "0 callbacks of erp are due now.\n"
    assert statuses(run, "erp") == ["pending"]


@pytest.mark.usefixtures("endpoints")
def test_the_filters_of_the_settings_count(run):
    assert run.json("callbacks", "backfill", "tests", *SINCE, "--yes")["total"] == 0


@pytest.mark.usefixtures("endpoints")
def test_one_who_wants_notices_only_has_missed_no_session(run):
    assert run.json("callbacks", "backfill", "ops", *SINCE, "--yes")["done"] == 0
    assert statuses(run, "ops") == []


def test_the_filters_of_a_function_count(run, tmp_path):
    source = "from statekeeper import on_terminal\n"
    for state in ("completed", "error"):
        source += f"@on_terminal('{state}')\ndef on_{state}(ended): ...\n"
    (tmp_path / "told_late.py").write_text(source)
    for state, total in (("completed", 1), ("error", 0)):
        name = f"told_late:on_{state}"
        assert run.json("callbacks", "backfill", name, *SINCE, "--yes", "--callbacks", "told_late.py")["done"] == total


@pytest.mark.parametrize(("environment", "total"), [("live", 1), ("test", 0)])
def test_the_filters_of_an_endpoint_in_the_store_count(run, tmp_path, environment, total):
    async def add():
        database = Database.open(f"sqlite:///{tmp_path / 'statekeeper.db'}")
        options = {"environments": [environment], "states": ["completed"], "transitions": "terminal"}
        at = datetime(2026, 1, 8, tzinfo=UTC)
        row = {"name": "made", "sealed": "x", "options": options, "created_at": at, "updated_at": at}
        async with database.writer.begin() as connection:
            await connection.run_sync(lambda c: c.execute(table(EndpointRow).insert(), row))
        await database.close()

    asyncio.run(add())
    assert run.json("callbacks", "backfill", "made", *SINCE, "--yes")["done"] == total


def test_a_subscriber_that_is_unknown_is_exit_1(run):
    result = run("callbacks", "backfill", "nobody", *SINCE, "--dry-run")
    assert (result.exit_code, result.stderr) == (1, "Error: No subscriber nobody is known.\n")


def test_what_an_earlier_call_left_unfinished_is_finished_first(run, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "work", die)
        assert run("callbacks", "recover", "crm", *SINCE, "--yes").exit_code == 130
    assert statuses(run, "crm") == ["dead"]
    document = run.json("callbacks", "recover", "crm", *SINCE, "--yes")
    assert (document["total"], document["done"]) == (1, 0)
    assert statuses(run, "crm") == ["pending"]


# --- retry --------------------------------------------------------------------------------------------------------


def test_a_retry_says_what_it_would_do_and_changes_nothing(run):
    (dead,) = run.json("callbacks", "--status", "dead")["items"]
    key = dead["callbackId"]
    plan = run.json("callbacks", "retry", key, "--dry-run")
    assert plan == {"callbackId": key, "subscriber": "crm", "status": "dead", "attempts": 1, "dryRun": True}
    said = f"Callback {key} for crm is dead after 1 attempt; a retry makes it due at once.\n"
    assert run("callbacks", "retry", key, "--dry-run").stdout == said
    assert statuses(run, "crm") == ["dead"]


def test_a_dry_run_of_what_cannot_be_retried_is_exit_1(run):
    (delivered,) = run.json("callbacks", "--status", "delivered")["items"]
    assert run("callbacks", "retry", delivered["callbackId"], "--dry-run").exit_code == 1
    assert run("callbacks", "retry", "6ba7b810-9dad-51d1-80b4-00c04fd430c8", "--dry-run").exit_code == 1


def test_a_name_that_nobody_ever_had_is_not_known(run):
    result = run("callbacks", "recover", "nope", *SINCE)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No subscriber nope is known." in result.stderr


def test_whose_name_nobody_has_at_present_is_said(run):
    assert "Nobody is called crm at present" in run("callbacks", "recover", "crm", *SINCE, "--dry-run").stderr
