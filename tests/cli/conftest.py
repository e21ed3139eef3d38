import asyncio
import json
import logging
import os
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from click.testing import CliRunner

import databases
from databases import Clock
from statekeeper.cli import commands
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import Fault
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.resources import default_chart
from statekeeper.store import outbox
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.refusals import Refusal

ENDED = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
WAITING = UUID("0b7e4c80-3a34-4dd8-9c4a-3f2a3c1a5d10")
KEY = SigningKey("thumb", "key-1", '{"kty":"RSA"}')


@pytest.fixture(autouse=True)
def empty_directory(monkeypatch, tmp_path):
    """Each test has a directory of its own to work in, no settings, and its own logging."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STATEKEEPER_")]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def run():
    """Run the command line; `run.json(…)` reads what it prints."""

    def invoke(*arguments):
        return CliRunner().invoke(commands, [str(argument) for argument in arguments])

    def read(*arguments):
        result = invoke(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    invoke.json = read
    return invoke


@pytest.fixture
def store(tmp_path):
    """`statekeeper.db` with a session that has ended and owes two callbacks, one that waits, and a refusal."""
    asyncio.run(_fill(databases.migrated(tmp_path / "statekeeper.db"), Clock()))


async def _fill(url, clock):
    database = Database.open(url, clock=clock)
    journal = Journal(Charts(default_chart()), (Subscriber("crm"), Subscriber("mail")), jitter=lambda: 0.0)

    async def write(job):
        clock.advance(1)
        async with database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, clock()))

    await write(journal.charts.register)
    await write(
        lambda c, now: databases.write(
            journal, c, [_arrival(ENDED, 1, "created"), _arrival(ENDED, 2, "completed")], now
        )
    )
    await write(lambda c, now: databases.write(journal, c, [_arrival(WAITING, 3, "error", flow_id="f\x1b[31m1")], now))
    await write(lambda c, now: journal.refuse(c, Refusal((Fault("data.eventId", "is missing"),), "a.b.c", KEY), now))
    page = f"\n<h1>\x1b[31m{'Away ' * 20}</h1>\n<p>for good"
    await write(lambda c, now: _attempt(c, now, "crm", Outcome.FAILED, Dead(), response=page))
    await write(lambda c, now: _attempt(c, now, "mail", Outcome.DELIVERED, Delivered(), receipt="case 4711"))
    await database.close()


def _attempt(connection, now, subscriber, outcome, verdict, **said):
    (claim,) = outbox.claim(connection, subscriber, 1, now, timedelta(seconds=50))
    outbox.settle(connection, claim, Attempt(outcome, now, 7, "503 from crm", **said), verdict, now)


def _arrival(session, number, name, **members):
    step = LastStep("END-ACCEPT", "END", None) if name == "completed" else None
    facts = {"environment": "live", "session_status": name.upper(), "last_step": step, **members}
    return Arrival(SessionEvent(f"e{number}", f"session.{name}", number, session, **facts), "a.b.c", KEY)
