"""The health of endpoints in the store, on both engines; two nodes lose no counts."""

import asyncio
import json
from datetime import timedelta

import pytest

from databases import rows
from statekeeper.core.health import HEALTHY, Disabled, Health, HealthPolicy, Opened, Recovered, State
from statekeeper.core.retry import Attempt, Outcome
from statekeeper.core.subscribers import NOTICES, Subscriber
from statekeeper.store import health

POLICY = HealthPolicy(failures=3, pause=timedelta(seconds=5))
OPS = Subscriber("ops", notices=frozenset(NOTICES))


class Ward:
    """The store's health, each call in a transaction of its own."""

    def __init__(self, database):
        self.database = database

    async def run(self, job):
        async with self.database.writer.begin() as connection:
            return await connection.run_sync(lambda c: job(c, self.database.now(c)))

    async def observe(self, outcome=Outcome.FAILED, detail=None, name="crm"):
        return await self.run(lambda c, now: health.observe(c, name, Attempt(outcome, now, 7, detail), now, POLICY))

    async def read(self, name="crm"):
        return await self.run(lambda c, _now: health.read(c, name))

    async def enable(self, tell=()):
        return await self.run(lambda c, now: health.enable(c, "crm", now, tell))

    async def disable(self, reason="for maintenance", tell=()):
        return await self.run(lambda c, now: health.disable(c, "crm", reason, now, tell))


@pytest.fixture
def ward(database):
    return Ward(database)


async def test_an_endpoint_without_a_row_is_healthy_and_its_successes_write_none(database, ward):
    assert await ward.read() == HEALTHY
    assert await ward.observe(Outcome.DELIVERED) is None
    assert await rows(database, "SELECT name FROM endpoint_health") == []


async def test_what_was_saved_is_read_again_with_every_member(ward, clock):
    instants = [clock.advance(1) for _ in range(6)]
    first, second, third, fourth, fifth, sixth = instants
    saved = Health(7, first, second, third, fourth, 2, fifth, "HTTP 410", sixth)
    await ward.run(lambda c, now: health.save(c, "crm", saved, now))
    assert await ward.read() == saved
    assert await ward.run(lambda c, _now: health.read_all(c)) == {"crm": saved}


async def test_a_run_of_failures_is_counted_and_opens_the_circuit_and_a_success_closes_it(ward, clock):
    since = clock.now
    assert [await ward.observe() for _ in range(3)] == [None, None, Opened()]
    assert (await ward.read()).state is State.OPEN
    assert await ward.observe(Outcome.DELIVERED) == Recovered(since)
    assert await ward.read() == HEALTHY


async def test_endpoints_fare_each_on_its_own(ward):
    for _ in range(3):
        await ward.observe()
    assert await ward.observe(name="mail") is None
    found = await ward.run(lambda c, _now: health.read_all(c))
    assert {name: each.failures for name, each in found.items()} == {"crm": 3, "mail": 1}


async def test_nodes_that_fail_together_lose_no_count(ward):
    await asyncio.gather(*(ward.observe() for _ in range(8)))
    assert (await ward.read()).failures == 8


async def test_an_endpoint_is_disabled_and_enabled_once(ward, clock):
    assert await ward.disable()
    assert not await ward.disable("again")
    assert (await ward.read()).disabled_reason == "for maintenance"
    clock.advance(1)
    assert await ward.enable()
    assert not await ward.enable()
    assert await ward.read() == Health(enabled_at=clock.now)


async def test_enabling_closes_a_circuit_that_is_open(ward):
    for _ in range(3):
        await ward.observe()
    assert await ward.enable()
    assert (await ward.read()).state is State.CLOSED


async def test_what_is_healthy_need_not_be_enabled(database, ward):
    assert not await ward.enable((OPS,))
    assert await rows(database, "SELECT name FROM endpoint_health") == []


async def test_an_endpoint_that_is_gone_is_disabled_by_its_own_word(ward):
    assert await ward.observe(Outcome.GAVE_UP, "HTTP 410") == Disabled("HTTP 410")
    assert (await ward.read()).state is State.DISABLED


async def test_those_who_ask_are_told_of_what_somebody_wished(database, ward, clock):
    await ward.disable(tell=(OPS, Subscriber("crm")))
    clock.advance(1)
    await ward.enable(tell=(OPS, Subscriber("crm")))
    found = await rows(database, "SELECT subscriber, state, ordinal, status FROM callbacks ORDER BY created_at")
    assert found == [("ops", "endpoint.disabled", 0, "pending"), ("ops", "endpoint.recovered", 0, "pending")]


async def test_a_name_that_was_forgotten_begins_healthy(ward):
    await ward.disable()
    await ward.run(lambda c, _now: health.forget(c, "crm"))
    assert await ward.read() == HEALTHY


async def test_what_one_transaction_wrote_it_sees_and_the_next_reads_anew(ward):
    def both(connection, now):
        for _ in range(2):
            health.observe(connection, "crm", Attempt(Outcome.FAILED, now, 7), now, POLICY)
        return dict(health.seen(connection))

    found = await ward.run(both)
    assert found["crm"].failures == 2
    await ward.run(lambda c, _now: health.forget(c, "crm"))
    assert await ward.run(lambda c, _now: dict(health.seen(c))) == {}


async def test_a_name_that_was_forgotten_is_healthy_to_the_same_transaction_too(ward):
    def both(connection, now):
        health.disable(connection, "crm", "for maintenance", now)
        health.forget(connection, "crm")
        return dict(health.seen(connection))

    assert await ward.run(both) == {}


async def test_those_who_are_told_of_its_recovery_learn_when_its_trouble_began(database, ward, clock):
    for _ in range(3):
        await ward.observe()
        clock.advance(1)
    await ward.disable()
    clock.advance(1)
    await ward.enable(tell=(OPS,))
    ((body,),) = await rows(database, "SELECT body FROM callbacks")
    assert json.loads(body)["data"]["since"] == "2026-01-08T08:35:37.581Z"


async def test_what_was_rolled_back_is_not_remembered(ward):
    def broken(connection, now):
        health.disable(connection, "crm", "by mistake", now)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ward.run(broken)
    assert await ward.run(lambda c, _now: dict(health.seen(c))) == {}
