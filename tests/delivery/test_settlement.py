"""What follows from an attempt: the callback's fate, the endpoint's health and the notices, in one transaction."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from databases import rows
from senders import FAILED, SCHEDULE, Hanging, Scripted, callbacks
from statekeeper import metrics
from statekeeper.core.health import HealthPolicy
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import NOTICES, Scope, Subscriber
from statekeeper.delivery.answers import DELIVERED, Answer

POLICY = HealthPolicy(failures=2, pause=timedelta(seconds=5), disable_after=timedelta(days=5))
OPS = Subscriber("ops", scope=Scope.NONE, notices=frozenset(NOTICES))
GONE = Answer(Outcome.GAVE_UP, "HTTP 410")
LONG = (0, *[1000] * 20)


def told(*subscribers):
    return lambda: (Subscriber("crm"), *subscribers)


def ill(*answers, **limits):
    return Scripted(*answers, guarded=True, **limits)


@pytest.fixture
def notices(database):
    """The notices owed, by their type, and what they say."""

    async def notices():
        found = await rows(database, "SELECT subscriber, state, body FROM callbacks WHERE ordinal = 0 ORDER BY state")
        return [(subscriber, state, json.loads(body)["data"]) for subscriber, state, body in found]

    return notices


async def test_a_callback_that_is_dead_is_told_to_those_who_ask(relay_for, owe, notices):
    (callback_id,) = await owe()
    pager = Subscriber("pager", notices=frozenset({"callback.dead"}))
    relay = relay_for(subscribers=told(OPS, pager), schedule=(0,), crm=Scripted(FAILED))
    await relay.run_once()
    found = await notices()
    assert sorted(subscriber for subscriber, *_ in found) == ["ops", "pager"]
    _, kind, data = found[0]
    assert kind == "callback.dead"
    assert (data["callbackId"], data["subscriber"], data["attempts"], data["detail"]) == (
        str(callback_id),
        "crm",
        1,
        "HTTP 503",
    )


async def test_a_notice_goes_out_like_a_callback_and_one_that_is_dead_is_told_to_nobody(
    database, relay_for, owe, notices
):
    await owe()
    ops = Scripted(Answer(Outcome.GAVE_UP, "HTTP 422"))
    relay = relay_for(subscribers=told(OPS), schedule=(0,), crm=Scripted(FAILED), ops=ops)
    assert [await relay.run_once(), await relay.run_once(), await relay.run_once()] == [1, 1, 0]
    assert len(await notices()) == 1
    assert [status for status, *_ in await callbacks(database)] == ["dead", "dead"]


async def test_an_attempt_that_failed_and_is_made_again_is_told_to_nobody(relay_for, owe, notices):
    await owe()
    await relay_for(subscribers=told(OPS), crm=ill(FAILED)).run_once()
    assert await notices() == []


async def test_an_endpoint_that_says_410_is_told_of_once_and_so_is_its_callback(relay_for, owe, notices, clock):
    await owe(count=2)
    with capture_logs() as logs:
        await relay_for(subscribers=told(OPS), crm=ill(GONE, GONE), health=POLICY).run_once()
    found = await notices()
    assert [kind for _, kind, _ in found] == ["callback.dead", "callback.dead", "endpoint.disabled"]
    assert found[-1][2] == {"noticeId": found[-1][2]["noticeId"], "endpoint": "crm", "reason": "HTTP 410"}
    (said,) = [entry for entry in logs if entry["event"] == "endpoint_disabled"]
    assert (said["log_level"], said["endpoint"], said["reason"]) == ("error", "crm", "HTTP 410")


async def test_a_circuit_that_opens_is_logged_and_counted_and_one_that_closes_is_told(relay_for, owe, notices, clock):
    def opened():
        return metrics.REGISTRY.get_sample_value("statekeeper_endpoint_circuits_opened_total", {"endpoint": "crm"}) or 0

    await owe(count=3)
    before = opened()
    relay = relay_for(subscribers=told(OPS), schedule=LONG, crm=ill(FAILED, FAILED, slots=2), health=POLICY)
    with capture_logs() as logs:
        await relay.run_once()
        assert await notices() == []
        clock.advance(5)
        await relay.run_once()
    ((_, kind, data),) = await notices()
    assert (kind, data["endpoint"], data["since"]) == ("endpoint.recovered", "crm", "2026-01-08T08:35:37.581Z")
    said = [(entry["event"], entry["log_level"]) for entry in logs if entry["event"].startswith("endpoint")]
    assert said == [("endpoint_circuit_opened", "warning"), ("endpoint_recovered", "info")]
    assert opened() == before + 1


async def test_a_notice_is_due_when_a_callback_would_be(database, relay_for, owe, clock):
    await owe()
    ops = Scripted()
    relay = relay_for(subscribers=told(OPS), schedule=(7,), crm=Scripted(FAILED), ops=ops)
    await relay.run_once()
    clock.advance(6.999)
    assert await relay.run_once() == 0
    clock.advance(0.001)
    assert await relay.run_once() == 1


async def test_a_relay_that_runs_sends_a_notice_without_waiting_for_a_poll(relay_for, owe):
    await owe()
    ops = Hanging()
    ops.go_on.set()
    relay = relay_for(subscribers=told(OPS), schedule=(0,), crm=Scripted(FAILED), ops=ops, poll=1000)
    task = asyncio.create_task(relay.run())
    await asyncio.wait_for(ops.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_late_workers_verdict_is_told_to_nobody(relay_for, owe, notices, clock):
    await owe()
    late = Hanging(Answer(Outcome.GAVE_UP, "too late to say"))
    outrun = asyncio.create_task(relay_for(subscribers=told(OPS), crm=late).run_once())
    await late.begun.acquire()
    clock.advance(50)
    await relay_for(crm=Scripted(FAILED)).run_once()
    late.go_on.set()
    await outrun
    assert await notices() == []


@pytest.mark.parametrize(("answer", "failures"), [(FAILED, 1), (DELIVERED, 0)])
async def test_of_an_endpoint_a_late_workers_delivery_says_something_and_its_failure_nothing(
    database, relay_for, owe, clock, answer, failures
):
    await owe()
    late = Hanging(answer, guarded=True)
    outrun = asyncio.create_task(relay_for(crm=late, health=POLICY).run_once())
    await late.begun.acquire()
    clock.advance(50)
    await relay_for(crm=ill(FAILED), health=POLICY).run_once()
    late.go_on.set()
    await outrun
    assert await rows(database, "SELECT failures FROM endpoint_health") == [(failures,)]


async def test_a_callback_that_is_delivered_twice_speaks_for_the_endpoint_twice(database, relay_for, owe, clock):
    await owe()
    late = Hanging(guarded=True)
    outrun = asyncio.create_task(relay_for(crm=late, health=POLICY).run_once())
    await late.begun.acquire()
    clock.advance(50)
    await relay_for(crm=ill(), health=POLICY).run_once()
    await owe(seed=1)
    await relay_for(crm=ill(FAILED), health=POLICY).run_once()
    late.go_on.set()
    await outrun
    assert await rows(database, "SELECT failures FROM endpoint_health") == [(0,)]


async def test_a_late_workers_delivery_lets_the_next_step_go_that_was_parked_meanwhile(relay_for, owe, clock):
    await owe(ordinals=(1, 2))
    late, next_one = Hanging(ordered=True), Scripted(FAILED, ordered=True)
    outrun = asyncio.create_task(relay_for(crm=late).run_once())
    await late.begun.acquire()
    clock.advance(50)
    relay = relay_for(schedule=LONG, crm=next_one)
    assert [await relay.run_once(), await relay.run_once()] == [1, 0]
    late.go_on.set()
    await outrun
    assert await relay.run_once() == 1
    assert [claim.ordinal for claim in next_one.claims] == [1, 2]


async def test_what_cannot_be_settled_tells_nobody_and_counts_for_nothing(database, writer, relay_for, owe, notices):
    """One transaction: a notice that cannot be written takes the verdict and the health with it."""
    await owe()

    def broken():
        yield OPS
        raise ZeroDivisionError

    with capture_logs():
        await relay_for(subscribers=broken, schedule=(0,), crm=ill(FAILED), health=POLICY).run_once()
    assert await callbacks(database) == [("pending", 1, 0)]
    assert await notices() == []
    assert await rows(database, "SELECT name FROM endpoint_health") == []


async def test_healthy_endpoints_cost_one_read_a_transaction_and_no_write(database, relay_for, owe):
    said = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, *_):
        if "endpoint_health" in statement:
            said.append(statement.split()[0])

    await owe(count=3)
    await relay_for(crm=ill(slots=3), health=POLICY).run_once()
    event.remove(database.writer.sync_engine, "before_cursor_execute", listen)
    assert said == ["SELECT"] * 2


async def test_a_function_costs_no_read_at_all(database, relay_for, owe):
    said = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, *_):
        said.append(statement)

    await owe()
    await relay_for(crm=Scripted(), schedule=SCHEDULE).run_once()
    event.remove(database.writer.sync_engine, "before_cursor_execute", listen)
    assert not [statement for statement in said if "endpoint_health" in statement]
