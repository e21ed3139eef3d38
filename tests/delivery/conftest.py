"""A relay on a real store, through the real writer: time is passed in, and nothing sleeps."""

import asyncio

import pytest

import senders
from databases import rows
from senders import SCHEDULE
from statekeeper.core.health import DEFAULT_POLICY
from statekeeper.delivery.relay import Relay
from statekeeper.delivery.settlement import Policy
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.journal import Journal
from statekeeper.writer import Writer

OPTIONS = ("subscribers", "poll", "sleep", "clock")


@pytest.fixture
async def writer(database):
    writer = Writer(database, Journal(Charts(default_chart())))
    running = asyncio.create_task(writer.run())
    yield writer
    writer.stop()
    await running


@pytest.fixture
def owe(writer):
    """Put callbacks into the store, due now."""

    async def owe(subscriber="crm", count=1, seed=0, ordinals=(2,)):
        return await writer.execute(
            lambda connection, now: senders.owe(connection, now, subscriber, count=count, seed=seed, ordinals=ordinals)
        )

    return owe


@pytest.fixture
async def relay_for(writer):
    """A relay for these senders, with a schedule without jitter; it is closed when the test is over."""
    relays = []

    def make(
        execute=writer.execute,
        *,
        jitter=lambda: 0.0,
        timeout=20,
        schedule=SCHEDULE,
        health=DEFAULT_POLICY,
        **more,
    ):
        options = {name: more.pop(name) for name in OPTIONS if name in more}
        relays.append(Relay(execute, more, Policy(schedule, timeout, jitter, health), **options))
        return relays[-1]

    yield make
    for relay in relays:
        await relay.close(grace=0)


@pytest.fixture
def history(database):
    async def history():
        return await rows(database, "SELECT number, outcome, detail FROM attempts ORDER BY session_id, number")

    return history
