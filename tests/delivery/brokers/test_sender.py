"""A broker's attempts: one link for all of them, replaced when it is in doubt, and nobody waits for one for long."""

import asyncio
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from brokers import Detour, claim, need, sender
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.errors import OperatorError
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.brokers.links import Refused
from statekeeper.delivery.brokers.sender import Broker, BrokerSender

BUS = Broker(Subscriber("bus"), "amqp://guest:hunt%2Fer2@127.0.0.1", "ended", 3)


class Line:
    """A link that is open when `ready` is set, and does what it is told with the next events, then takes them."""

    def __init__(self, *deeds, fails=None):
        self.usable = True
        self.ready, self.busy, self.go_on = asyncio.Event(), asyncio.Semaphore(0), asyncio.Event()
        self.ready.set()
        self.deeds, self.fails = list(deeds), fails
        self.taken = []
        self.closed = False

    async def open(self):
        await self.ready.wait()
        if self.fails:
            raise self.fails

    async def publish(self, event):
        deed = self.deeds.pop(0) if self.deeds else None
        if deed == "hang":
            self.busy.release()
            await self.go_on.wait()
        elif deed:
            raise deed
        self.taken.append(event)

    async def close(self):
        self.closed = True


@pytest.fixture
async def dialling():
    """A sender over these links, one after the other."""
    made = []

    def dialling(*lines):
        waiting = list(lines)
        made.append(BrokerSender(BUS, lambda *_: waiting.pop(0)))
        return made[-1]

    yield dialling
    for each in made:
        await each.close()


async def idle():
    """Until nothing happens any more without something from outside."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_subscriber_and_its_slots_are_those_of_the_settings(dialling):
    bus = dialling()
    assert (bus.subscriber, bus.slots) == (Subscriber("bus"), 3)


async def test_the_first_attempt_connects_and_all_share_it(dialling):
    line = Line()
    line.ready.clear()
    bus = dialling(line)
    told = [claim() for _ in range(3)]
    attempts = [asyncio.create_task(bus.send(each)) for each in told]
    await idle()
    line.ready.set()
    assert {answer.outcome for answer in await asyncio.gather(*attempts)} == {Outcome.DELIVERED}
    assert line.taken == [as_cloudevent(each.callback_id, each.body) for each in told]
    assert not line.closed
    await bus.close()
    assert line.closed


async def test_what_the_broker_refuses_costs_the_attempt_and_not_the_link(dialling):
    line = Line(Refused("no queue took it"))
    bus = dialling(line)
    answer = await bus.send(claim())
    assert (answer.outcome, answer.detail, answer.error) == (Outcome.FAILED, "no queue took it", None)
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED
    assert not line.closed


async def test_any_other_error_costs_the_link_too(dialling):
    first, second = Line(ConnectionResetError("cut off")), Line()
    bus = dialling(first, second)
    answer = await bus.send(claim())
    assert (answer.outcome, answer.detail) == (Outcome.FAILED, "ConnectionResetError: cut off")
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED
    await idle()
    assert first.closed
    assert len(second.taken) == 1


async def test_a_link_that_was_lost_meanwhile_is_replaced_before_the_attempt(dialling):
    first, second = Line(), Line()
    bus = dialling(first, second)
    await bus.send(claim())
    first.usable = False
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED
    await idle()
    assert first.closed
    assert (len(first.taken), len(second.taken)) == (1, 1)


async def test_a_link_that_was_lost_under_an_attempt_is_closed_after_it(dialling):
    first, second = Line("hang"), Line()
    bus = dialling(first, second)
    slow = asyncio.create_task(bus.send(claim()))
    await first.busy.acquire()
    first.usable = False
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED
    assert not first.closed
    first.go_on.set()
    assert (await slow).outcome is Outcome.DELIVERED
    await idle()
    assert first.closed


async def test_an_attempt_that_cannot_connect_says_why_to_all_that_waited(dialling):
    first, second = Line(fails=ConnectionRefusedError(111, "refused")), Line()
    first.ready.clear()
    bus = dialling(first, second)
    attempts = [asyncio.create_task(bus.send(claim())) for _ in range(2)]
    await idle()
    first.ready.set()
    details = {answer.detail for answer in await asyncio.gather(*attempts)}
    assert details == {"ConnectionRefusedError: [Errno 111] refused"}
    assert first.closed
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED


async def test_an_attempt_that_runs_out_of_time_while_connecting_leaves_the_link_to_the_next(dialling):
    line = Line()
    line.ready.clear()
    bus = dialling(line)
    late = asyncio.create_task(bus.send(claim()))
    await idle()
    late.cancel()
    await idle()
    assert late.cancelled()
    line.ready.set()
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED


async def test_an_attempt_that_runs_out_of_time_puts_its_link_in_doubt_and_disturbs_nobody(dialling):
    first, second = Line("hang", "hang"), Line()
    bus = dialling(first, second)
    late, slow = (asyncio.create_task(bus.send(claim())) for _ in range(2))
    await first.busy.acquire()
    await first.busy.acquire()
    late.cancel()
    await idle()
    assert (await bus.send(claim())).outcome is Outcome.DELIVERED
    assert len(second.taken) == 1
    assert not first.closed
    first.go_on.set()
    assert (await slow).outcome is Outcome.DELIVERED
    await idle()
    assert first.closed
    assert not second.closed


@pytest.mark.parametrize("secret", ["hunt/er2", "hunt%2Fer2"])
@pytest.mark.parametrize("error", [Refused, ConnectionError])
async def test_no_detail_has_a_credential_in_it(dialling, secret, error):
    bus = dialling(Line(error(f"no entry for {secret}\0")))
    answer = await bus.send(claim())
    assert answer.detail.removeprefix("ConnectionError: ") == "no entry for ***"


async def test_an_error_without_a_word_gives_its_type(dialling):
    assert (await dialling(Line(ValueError())).send(claim())).detail == "ValueError"


async def test_closing_waits_for_no_connection_that_is_being_made(dialling):
    line = Line()
    line.ready.clear()
    bus = dialling(line)
    waiting = asyncio.create_task(bus.send(claim()))
    await idle()
    await bus.close()
    await asyncio.wait({waiting})
    assert line.closed


async def test_closing_what_was_never_used_is_nothing(dialling):
    await dialling().close()


@pytest.mark.parametrize(
    "url", ["nats://127.0.0.1:{}", "amqp://127.0.0.1:{}", "kafka://127.0.0.1:{}", "redis://127.0.0.1:{}"]
)
async def test_a_broker_that_says_nothing_holds_up_neither_an_attempt_nor_the_end(url):
    async with Detour(None) as nowhere:
        bus = sender(url.format(nowhere.port), "ended")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await bus.send(claim())
        began = time.monotonic()
        await bus.close()
        assert time.monotonic() - began < 1
        await nowhere.left()
        await idle()
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("name", "port", "url"),
    [
        ("NATS", 4222, "nats://127.0.0.1:{}"),
        ("RabbitMQ", 5672, "amqp://guest:guest@127.0.0.1:{}"),
        ("Redis", 6379, "redis://127.0.0.1:{}"),
    ],
)
async def test_a_broker_that_falls_silent_is_left_behind_with_nothing_that_goes_on(name, port, url):
    need(name, port)
    async with Detour(port) as detour:
        destination = f"test-{uuid4().hex}"
        bus = sender(url.format(detour.port), destination)
        await bus.send(claim())
        detour.lossy = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await bus.send(claim())
        began = time.monotonic()
        await bus.close()
        assert time.monotonic() - began < 5
        await detour.left()
        await idle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
    if name == "Redis":
        async with Redis() as redis:
            await redis.delete(destination)


def test_who_has_no_broker_loads_no_client():
    ask = (
        "import sys, statekeeper.app; print({'faststream', 'nats', 'aio_pika', 'aiokafka', 'redis'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "set()\n"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("nats://127.0.0.1", "nats"),
        ("amqp://127.0.0.1", "rabbit"),
        ("kafka://127.0.0.1", "kafka"),
        ("redis://127.0.0.1", "redis"),
    ],
)
def test_a_client_that_is_not_installed_stops_the_start_and_says_what_to_do(monkeypatch, url, kind):
    monkeypatch.delitem(sys.modules, f"statekeeper.delivery.brokers.{kind}", raising=False)
    monkeypatch.setitem(sys.modules, f"faststream.{kind}", None)
    with pytest.raises(OperatorError) as caught:
        sender(url, "ended")
    assert str(caught.value) == (f'brokers: "bus" needs what is not installed; run: pip install "statekeeper[{kind}]"')
