"""The relay on a real store, through the real writer: time is passed in, and nothing sleeps."""

import asyncio
import logging
import math
import threading
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from databases import rows
from receiver import Answer as HttpAnswer
from receiver import Receiver
from senders import FAILED, Hanging, Scripted, callbacks
from statekeeper import metrics
from statekeeper.core.acts import Retry
from statekeeper.core.addresses import Reach
from statekeeper.core.errors import Unavailable
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery import endpoints
from statekeeper.delivery import relay as relays
from statekeeper.delivery.answers import Answer
from statekeeper.delivery.clients import open_client
from statekeeper.delivery.endpoints import Endpoint, HttpSender
from statekeeper.delivery.handlers import Handler
from statekeeper.store import dead_letters, outbox

SECRET = "whsec_bmV3IHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="


async def test_what_is_due_is_delivered_and_settled(database, relay_for, owe, history):
    (callback_id,) = await owe()
    crm = Scripted()
    relay = relay_for(crm=crm)
    assert await relay.run_once() == 1
    assert await callbacks(database) == [("delivered", 1, 0)]
    assert await history() == [(1, "delivered", None)]
    assert [(claim.callback_id, claim.number) for claim in crm.claims] == [(callback_id, 1)]
    assert await relay.run_once() == 0


async def test_an_attempt_bears_the_stores_time_of_its_claim(database, relay_for, owe, clock):
    await owe()
    clock.advance(3)
    await relay_for(crm=Scripted()).run_once()
    (found,) = await rows(
        database, "SELECT attempts.at = callbacks.delivered_at, duration_ms < 1000 FROM attempts, callbacks"
    )
    assert [bool(each) for each in found] == [True, True]


async def test_failures_follow_the_schedule_until_it_is_used_up(database, relay_for, owe, history, clock):
    await owe()
    relay = relay_for(crm=Scripted(FAILED, ValueError("no such bank"), FAILED))
    assert await relay.run_once() == 1
    clock.advance(4.9)
    assert await relay.run_once() == 0
    clock.advance(0.1)
    assert await relay.run_once() == 1
    clock.advance(299)
    assert await relay.run_once() == 0
    clock.advance(1)
    assert await relay.run_once() == 1
    assert await callbacks(database) == [("dead", 3, 3)]
    assert await history() == [
        (1, "failed", "HTTP 503"),
        (2, "failed", "ValueError: no such bank"),
        (3, "failed", "HTTP 503"),
    ]
    clock.advance(1_000_000)
    assert await relay.run_once() == 0


async def test_a_wait_is_lengthened_by_jitter(relay_for, owe, clock):
    await owe()
    relay = relay_for(jitter=lambda: 1.0, crm=Scripted(FAILED))
    await relay.run_once()
    clock.advance(5.4)
    assert await relay.run_once() == 0
    clock.advance(0.1)
    assert await relay.run_once() == 1


async def test_a_receivers_plea_and_a_functions_order_set_the_next_attempt(relay_for, owe, clock):
    await owe()
    plea = Answer(Outcome.FAILED, "HTTP 429", not_before=timedelta(seconds=60))
    order = Answer(Outcome.FAILED, "retry in 2 s", retry_in=timedelta(seconds=2))
    relay = relay_for(crm=Scripted(plea, order))
    await relay.run_once()
    clock.advance(59)
    assert await relay.run_once() == 0
    clock.advance(1)
    assert await relay.run_once() == 1
    clock.advance(2)
    assert await relay.run_once() == 1


async def test_what_is_given_up_on_is_dead_and_can_be_revived(database, writer, relay_for, owe, history):
    (callback_id,) = await owe()
    relay = relay_for(crm=Scripted(Answer(Outcome.GAVE_UP, "no such customer")))
    await relay.run_once()
    assert await callbacks(database) == [("dead", 1, 1)]
    assert await relay.run_once() == 0
    await writer.execute(lambda connection, now: dead_letters.revive(connection, Retry(callback_id), now))
    assert await relay.run_once() == 1
    assert await callbacks(database) == [("delivered", 2, 0)]
    assert await history() == [(1, "gave_up", "no such customer"), (2, "delivered", None)]


async def test_an_attempt_whose_time_is_over_has_failed(relay_for, owe, history):
    await owe()
    await relay_for(timeout=0.01, crm=Hanging()).run_once()
    assert await history() == [(1, "failed", "timeout")]


async def test_a_callback_whose_subscriber_is_not_loaded_waits(database, relay_for, owe):
    await owe("elsewhere")
    assert await relay_for(crm=Scripted()).run_once() == 0
    assert await relay_for().run_once() == 0
    assert await callbacks(database) == [("pending", 0, 0)]


async def test_a_claim_whose_subscriber_has_gone_meanwhile_is_given_back(database, relay_for, owe):
    relay = relay_for(crm=Scripted())
    senders = relay._senders
    await owe()
    claim = relay._claim

    async def leave(allowed):
        claims = await claim(allowed)
        senders.clear()
        return claims

    relay._claim = leave
    assert await relay.run_once() == 1
    assert await rows(database, "SELECT status, attempt, claimed_at FROM callbacks") == [("pending", 1, None)]
    assert await rows(database, "SELECT * FROM attempts") == []
    senders["crm"] = back = Scripted()
    relay._claim = claim
    assert await relay.run_once() == 1
    assert [(each.number, each.tries) for each in back.claims] == [(2, 0)]


async def test_no_more_is_claimed_than_there_are_free_slots(relay_for, owe):
    await owe(count=5)
    crm = Hanging(slots=2)
    relay = relay_for(crm=crm)
    first = asyncio.create_task(relay.run_once())
    for _ in range(2):
        await crm.begun.acquire()
    assert await relay.run_once() == 0
    crm.go_on.set()
    assert [await first, await relay.run_once(), await relay.run_once(), await relay.run_once()] == [2, 2, 1, 0]


async def test_a_subscriber_whose_slots_are_all_taken_holds_up_nobody_else(relay_for, owe):
    await owe(count=3)
    crm, erp = Hanging(slots=1), Scripted()
    relay = relay_for(crm=crm, erp=erp)
    first = asyncio.create_task(relay.run_once())
    await crm.begun.acquire()
    await owe("erp", count=2)
    assert await relay.run_once() == 2
    assert len(erp.claims) == 2
    crm.go_on.set()
    assert await first == 1


async def test_a_subscriber_with_fewer_slots_than_before_gets_nothing_until_enough_are_free(relay_for, owe):
    await owe(count=3)
    crm = Hanging(slots=2)
    relay = relay_for(crm=crm, erp=Scripted())
    first = asyncio.create_task(relay.run_once())
    for _ in range(2):
        await crm.begun.acquire()
    crm.slots = 1
    assert await relay.run_once() == 0
    crm.go_on.set()
    assert await first == 2
    assert await relay.run_once() == 1


async def test_one_transaction_claims_for_all_subscribers(writer, relay_for, owe):
    await owe()
    await owe("erp")
    jobs = []

    async def counted(job):
        jobs.append(job)
        return await writer.execute(job)

    assert await relay_for(counted, crm=Scripted(), erp=Scripted()).run_once() == 2
    assert len(jobs) == 3


async def test_a_callback_is_not_claimed_again_before_its_lease_is_over(relay_for, owe, clock):
    await owe()
    crm = Hanging()
    first, second = relay_for(crm=crm), relay_for(crm=Scripted())
    attempt = asyncio.create_task(first.run_once())
    await crm.begun.acquire()
    clock.advance(49.9)
    assert await second.run_once() == 0
    clock.advance(0.1)
    assert await second.run_once() == 1
    crm.go_on.set()
    await attempt


async def test_a_worker_that_died_costs_no_entry_of_the_schedule(database, writer, relay_for, owe, history, clock):
    await owe()
    lease = timedelta(seconds=50)
    await writer.execute(lambda connection, now: outbox.claim(connection, "crm", 8, now, lease))
    clock.advance(50)
    assert await relay_for(crm=Scripted(FAILED)).run_once() == 1
    assert await history() == [(1, "failed", "interrupted"), (2, "failed", "HTTP 503")]
    assert await callbacks(database) == [("pending", 2, 1)]


async def test_a_late_workers_failure_changes_nothing(database, relay_for, owe, history, clock):
    await owe()
    late, prompt = Hanging(Answer(Outcome.GAVE_UP, "too late to say")), Hanging(FAILED)
    first, second = relay_for(crm=late), relay_for(crm=prompt)
    outrun = asyncio.create_task(first.run_once())
    await late.begun.acquire()
    clock.advance(50)
    current = asyncio.create_task(second.run_once())
    await prompt.begun.acquire()
    late.go_on.set()
    with capture_logs() as logs:
        await outrun
    assert [entry["event"] for entry in logs] == ["callback_attempt_outrun"]
    assert await callbacks(database) == [("pending", 2, 0)]
    prompt.go_on.set()
    await current
    assert await callbacks(database) == [("pending", 2, 1)]
    assert await history() == [(1, "gave_up", "too late to say"), (2, "failed", "HTTP 503")]


async def test_a_late_workers_delivery_counts_and_a_failure_after_it_does_not(database, relay_for, owe, history, clock):
    await owe()
    late, prompt = Hanging(), Hanging(FAILED)
    outrun = asyncio.create_task(relay_for(crm=late).run_once())
    await late.begun.acquire()
    clock.advance(50)
    current = asyncio.create_task(relay_for(crm=prompt).run_once())
    await prompt.begun.acquire()
    late.go_on.set()
    await outrun
    assert await callbacks(database) == [("delivered", 2, 0)]
    prompt.go_on.set()
    await current
    assert await callbacks(database) == [("delivered", 2, 0)]
    assert await history() == [(1, "delivered", None), (2, "failed", "HTTP 503")]


def is_settlement(job):
    return "_record" in job.__code__.co_names


def away(writer, times):
    """An `execute` that settles nothing the first `times` times: the store is away."""
    left = [times]

    async def execute(job):
        if is_settlement(job) and left[0] > 0:
            left[0] -= 1
            raise Unavailable("The store does not answer, or is full.", reason="store")
        return await writer.execute(job)

    return execute


async def test_a_delivery_waits_for_a_store_that_is_away(database, writer, relay_for, owe, history):
    await owe()
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    crm = Scripted()
    await relay_for(away(writer, 9), sleep=sleep, crm=crm).run_once()
    assert await callbacks(database) == [("delivered", 1, 0)]
    assert len(crm.claims) == 1
    assert slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


async def test_an_attempt_that_cannot_be_settled_is_left_to_its_lease(database, writer, relay_for, owe, clock):
    await owe(count=2)
    broken = []

    async def execute(job):
        if is_settlement(job) and not broken:
            broken.append(job)
            raise ValueError
        return await writer.execute(job)

    relay = relay_for(execute, crm=Scripted())
    with capture_logs() as logs:
        assert await relay.run_once() == 2
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["callback_not_settled"]
    assert sorted(await callbacks(database)) == [("delivered", 1, 0), ("pending", 1, 0)]
    clock.advance(50)
    assert await relay.run_once() == 1


async def test_a_failed_attempt_is_logged_and_counted_and_a_dead_one_louder(relay_for, owe, clock):
    await owe("erp")

    def counted():
        return metrics.REGISTRY.get_sample_value(
            "statekeeper_callback_attempts_total", {"subscriber": "erp", "outcome": "failed"}
        )

    before = counted() or 0
    relay = relay_for(schedule=(0, 5), erp=Scripted(FAILED, FAILED))
    with capture_logs() as logs:
        await relay.run_once()
        clock.advance(5)
        await relay.run_once()
    assert [(entry["event"], entry["log_level"], entry["number"]) for entry in logs] == [
        ("callback_failed", "warning", 1),
        ("callback_dead", "error", 2),
    ]
    assert logs[0]["retry_in"] == 5
    assert {entry["subscriber"] for entry in logs} == {"erp"}
    assert counted() == before + 2


@pytest.fixture
def start(writer, relay_for):
    """A relay that runs, and rests since nothing was due; with its task."""

    async def start(**options):
        claimed = asyncio.Event()

        async def execute(job):
            value = await writer.execute(job)
            claimed.set()
            return value

        relay = relay_for(execute, **options)
        task = asyncio.create_task(relay.run())
        await claimed.wait()
        return relay, task

    return start


async def test_a_running_relay_is_woken_by_a_commit(start, owe):
    crm = Hanging()
    relay, task = await start(poll=1000, crm=crm)
    await owe()
    relay.wake()
    await asyncio.wait_for(crm.begun.acquire(), 10)
    crm.go_on.set()
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_running_relay_finds_by_itself_what_others_put_into_the_store(start, owe):
    crm = Hanging()
    relay, task = await start(poll=0.01, crm=crm)
    await owe()
    await asyncio.wait_for(crm.begun.acquire(), 10)
    crm.go_on.set()
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_freed_slot_is_used_at_once_for_what_waits(relay_for, owe):
    await owe(count=7)
    crm = Hanging(slots=2)
    relay = relay_for(poll=1000, crm=crm)
    task = asyncio.create_task(relay.run())
    crm.go_on.set()
    for _ in range(7):
        await asyncio.wait_for(crm.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_wake_while_all_slots_are_taken_is_not_lost(relay_for, owe):
    await owe()
    crm = Hanging(slots=1)
    relay = relay_for(poll=1000, crm=crm)
    task = asyncio.create_task(relay.run())
    await crm.begun.acquire()
    await owe(seed=1)
    relay.wake()
    for _ in range(5):
        await asyncio.sleep(0)
    crm.go_on.set()
    await asyncio.wait_for(crm.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_an_attempt_that_is_due_before_the_next_poll_is_made_in_time(writer, relay_for, owe, clock):
    async def execute(job):
        value = await writer.execute(job)
        if not value:  # the claim that the failure woke, and that came too early
            clock.advance(0.02)
        return value

    await owe()
    crm = Hanging(Answer(Outcome.FAILED, retry_in=timedelta(seconds=0.02)))
    crm.go_on.set()
    relay = relay_for(execute, poll=1000, crm=crm)
    task = asyncio.create_task(relay.run())
    for _ in range(2):
        await asyncio.wait_for(crm.begun.acquire(), 10)
    assert not relay._due
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_running_relay_outlives_a_store_that_is_away(writer, relay_for, owe):
    await owe()
    refused = []

    async def execute(job):
        if not refused:
            refused.append(job)
            raise Unavailable("The store does not answer, or is full.", reason="store")
        return await writer.execute(job)

    crm = Hanging()
    relay = relay_for(execute, poll=0.01, crm=crm)
    with capture_logs() as logs:
        task = asyncio.create_task(relay.run())
        await asyncio.wait_for(crm.begun.acquire(), 10)
    assert [entry["event"] for entry in logs] == ["callbacks_not_claimed"]
    crm.go_on.set()
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_what_cannot_be_claimed_for_another_reason_ends_the_run(relay_for):
    async def execute(job):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await relay_for(execute, crm=Scripted()).run()


async def test_closing_waits_for_what_is_under_way_and_claims_nothing_more(database, relay_for, owe):
    await owe()
    crm = Hanging()
    relay = relay_for(crm=crm)
    attempt = asyncio.create_task(relay.run_once())
    await crm.begun.acquire()
    closing = asyncio.create_task(relay.close())
    crm.go_on.set()
    await closing
    assert await attempt == 1
    assert await callbacks(database) == [("delivered", 1, 0)]
    await owe(seed=1)
    assert await relay.run_once() == 0


async def test_closing_waits_for_a_claim_that_is_just_being_made_and_for_its_attempt(database, writer, relay_for, owe):
    await owe()
    claiming, go_on = asyncio.Event(), asyncio.Event()

    async def execute(job):
        value = await writer.execute(job)
        claiming.set()
        await go_on.wait()
        return value

    relay = relay_for(execute, crm=Scripted())
    attempt = asyncio.create_task(relay.run_once())
    await claiming.wait()
    closing = asyncio.create_task(relay.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing
    assert await callbacks(database) == [("delivered", 1, 0)]
    assert await attempt == 1


async def test_closing_waits_no_longer_than_its_grace(database, relay_for, owe):
    await owe()
    crm = Hanging()
    relay = relay_for(crm=crm)
    task = asyncio.create_task(relay.run())
    await crm.begun.acquire()
    await relay.close(grace=0.01)
    await asyncio.wait_for(task, 10)
    assert await callbacks(database) == [("pending", 1, 0)]
    assert not relay._tasks


class Stalled(httpx.AsyncByteStream):
    """A body that never comes; `awaited` once somebody reads it."""

    def __init__(self):
        self.awaited = asyncio.Event()

    async def __aiter__(self):
        self.awaited.set()
        await asyncio.Event().wait()
        yield b""


@pytest.fixture
async def answered(monkeypatch):
    """A sender that has the status of its answer, and awaits the body."""
    monkeypatch.setattr(endpoints, "BODY_SECONDS", 60)
    body = Stalled()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))
    async with httpx.AsyncClient(transport=transport) as client:
        sender = HttpSender(Endpoint("crm", "https://crm.test/", (SECRET,)), client)
        sender.awaited = body.awaited
        yield sender


async def test_an_attempt_that_has_its_answer_when_the_relay_closes_is_settled(database, relay_for, owe, answered):
    await owe()
    relay = relay_for(crm=answered)
    attempt = asyncio.create_task(relay.run_once())
    async with asyncio.timeout(10):
        await answered.awaited.wait()
        await relay.close(grace=0)
        assert await attempt == 1
    assert await callbacks(database) == [("delivered", 1, 0)]


async def test_closing_does_not_wait_for_a_store_that_is_away(database, writer, relay_for, owe, answered, monkeypatch):
    monkeypatch.setattr(relays, "SETTLING_SECONDS", 0.1)
    settling = asyncio.Event()

    async def sleep(_seconds):
        settling.set()
        await asyncio.Event().wait()

    await owe()
    relay = relay_for(away(writer, math.inf), sleep=sleep, crm=answered)
    attempt = asyncio.create_task(relay.run_once())
    async with asyncio.timeout(10):
        await answered.awaited.wait()
        await relay.close(grace=0)
    assert settling.is_set()
    assert await callbacks(database) == [("pending", 1, 0)]
    with pytest.raises(asyncio.CancelledError):
        await attempt


async def test_endpoints_and_functions_are_served_side_by_side_and_one_that_blocks_delays_nobody(
    database, relay_for, owe
):
    begun, go_on, heard = threading.Event(), threading.Event(), threading.Event()

    def block(ended):
        begun.set()
        go_on.wait(10)

    async def block_its_loop(ended):
        block(ended)

    async def hear(ended):
        heard.set()

    handlers = [Handler(Subscriber(each.__name__), each) for each in (block, block_its_loop, hear)]
    async with Receiver(HttpAnswer(503)) as receiver, open_client(Reach(loopback=True)) as client:
        senders = {each.subscriber.name: each for each in handlers}
        crm = HttpSender(Endpoint("crm", receiver.url, (SECRET,)), client)
        relay = relay_for(**senders, crm=crm)
        for name in ("block", "block_its_loop", "hear", "crm"):
            await owe(name)
        task = asyncio.create_task(relay.run())
        await receiver.wait_for(1)
        assert await asyncio.to_thread(heard.wait, 10)
        assert await asyncio.to_thread(begun.wait, 10)
        go_on.set()
        await relay.close()
        await task
    for handler in handlers:
        handler.close()
    found = await rows(database, "SELECT subscriber, status FROM callbacks ORDER BY subscriber")
    assert found == [("block", "delivered"), ("block_its_loop", "delivered"), ("crm", "pending"), ("hear", "delivered")]


async def test_what_a_receiver_says_is_stored_and_shown_in_no_log(database, relay_for, owe, clock, caplog):
    caplog.set_level(logging.INFO)
    receipt = '{"receipt": "case 4711", "key": "hidden"}'
    said = HttpAnswer(503, body=b"who are you, hidden?"), HttpAnswer(body=receipt.encode())
    async with Receiver(*said) as receiver, open_client(Reach(loopback=True)) as client:
        relay = relay_for(crm=HttpSender(Endpoint("crm", receiver.url, (SECRET,)), client))
        await owe()
        with capture_logs() as logs:
            await relay.run_once()
            clock.advance(5)
            await relay.run_once()
    assert [entry["detail"] for entry in logs] == ["HTTP 503"]
    assert "hidden" not in f"{logs}{caplog.text}"
    found = await rows(database, "SELECT response FROM attempts ORDER BY number")
    assert found == [("who are you, hidden?",), (receipt,)]
    assert await rows(database, "SELECT status, receipt FROM callbacks") == [("delivered", "case 4711")]


async def test_a_callback_that_may_not_go_where_it_should_says_so(relay_for, owe, history):
    await owe()
    async with open_client(Reach()) as client:
        crm = HttpSender(Endpoint("crm", "https://10.0.0.5/hook", (SECRET,)), client)
        await relay_for(crm=crm).run_once()
    refusal = "refused: 10.0.0.5 is private; delivery.allowed_networks could allow it"
    assert await history() == [(1, "failed", refusal)]


async def test_a_function_that_outlives_its_time_has_failed_and_keeps_its_slot(relay_for, owe, history):
    begun, go_on = threading.Event(), threading.Event()

    def block(ended):
        begun.set()
        go_on.wait(10)

    handler = Handler(Subscriber("crm"), block)
    await owe()
    await relay_for(timeout=0.01, crm=handler).run_once()
    assert await history() == [(1, "failed", "timeout")]
    assert await asyncio.to_thread(begun.wait, 10)
    assert handler.slots == 3
    go_on.set()
    handler.close()
