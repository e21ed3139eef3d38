"""What the relay claims for endpoints that are ill, slow, rated or ordered, on both engines."""

import asyncio
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import event

from databases import rows
from receiver import Answer as HttpAnswer
from receiver import Receiver
from senders import FAILED, Hanging, Scripted, callbacks
from statekeeper.core.addresses import Reach
from statekeeper.core.health import HealthPolicy, State
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Scope
from statekeeper.delivery.answers import DELIVERED, Answer
from statekeeper.delivery.claims import Wish, claim_due
from statekeeper.delivery.clients import open_client
from statekeeper.delivery.endpoints import Endpoint, HttpSender
from statekeeper.store import health

POLICY = HealthPolicy(failures=3, pause=timedelta(seconds=5), disable_after=timedelta(days=5))
ONCE = HealthPolicy(failures=1, pause=timedelta(seconds=5))
LEASE = timedelta(seconds=50)
LONG = (0, *[1000] * 20)
SECRET = "whsec_bmV3IHNlY3JldCBvZiBhdCBsZWFzdCAyNCBieXRlcw=="


@pytest.fixture
def ward(writer):
    """The health of `crm`, and what an operator may do about it."""

    class Ward:
        async def state(self):
            return (await writer.execute(lambda c, _now: health.read(c, "crm"))).state

        async def enable(self):
            return await writer.execute(lambda c, now: health.enable(c, "crm", now))

        async def disable(self):
            return await writer.execute(lambda c, now: health.disable(c, "crm", "for maintenance", now))

    return Ward()


def ill(*answers, **limits):
    return Scripted(*answers, guarded=True, **limits)


async def test_a_run_of_failures_opens_the_circuit_and_what_waits_is_not_burnt(database, relay_for, owe, ward, clock):
    await owe(count=5)
    relay = relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 9, slots=3))
    assert await relay.run_once() == 3
    assert await ward.state() is State.OPEN
    clock.advance(4.999)
    assert await relay.run_once() == 0
    assert sorted(await callbacks(database)) == [("pending", 0, 0)] * 2 + [("pending", 1, 1)] * 3


async def test_one_probe_goes_out_after_the_pause_and_the_next_after_twice_that(relay_for, owe, ward, clock):
    await owe(count=9)
    relay = relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 9, slots=3))
    await relay.run_once()
    clock.advance(5)
    assert [await relay.run_once(), await relay.run_once()] == [1, 0]
    clock.advance(9.999)
    assert await relay.run_once() == 0
    clock.advance(0.001)
    assert [await relay.run_once(), await relay.run_once()] == [1, 0]


async def test_no_second_probe_goes_out_beside_the_first_from_any_node(relay_for, owe, ward, clock):
    await owe(count=9)
    crm = Hanging(*[FAILED] * 3, guarded=True, slots=3)
    crm.go_on.set()
    nodes = [relay_for(health=POLICY, schedule=LONG, crm=crm) for _ in range(2)]
    await nodes[0].run_once()
    crm.go_on.clear()
    clock.advance(5)
    probes = [asyncio.create_task(node.run_once()) for node in nodes]
    for _ in range(4):
        await crm.begun.acquire()
    assert await ward.state() is State.HALF_OPEN
    clock.advance(49.999)
    assert [await node.run_once() for node in nodes] == [0, 0]
    crm.go_on.set()
    assert sorted(await asyncio.gather(*probes)) == [0, 1]
    assert await ward.state() is State.CLOSED


async def test_nodes_that_find_a_probe_due_in_the_same_moment_send_one(database, relay_for, owe, clock):
    """The two transactions overlap on PostgreSQL: the second waits for the first, and reads again."""
    await owe(count=9)
    await relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 3, slots=3)).run_once()
    clock.advance(5)
    wish = Wish("crm", 8, guarded=True, ordered=False)
    together = asyncio.Barrier(database.writer.pool.size())

    async def node():
        async with database.writer.begin() as connection:
            await together.wait()
            return len(await connection.run_sync(lambda c: claim_due(c, [wish], database.now(c), LEASE)))

    assert sorted(await asyncio.gather(*(node() for _ in range(4)))) == [0, 0, 0, 1]


async def test_where_nothing_is_due_no_probe_is_used_up(database, relay_for, owe, ward, clock):
    await owe(count=3)
    crm = ill(*[FAILED] * 3, slots=3)
    relay = relay_for(health=POLICY, schedule=LONG, crm=crm)
    await relay.run_once()
    clock.advance(500)
    assert await relay.run_once() == 0
    assert await ward.state() is State.OPEN
    await owe(seed=1)
    assert await relay.run_once() == 1
    assert await ward.state() is State.CLOSED


async def test_where_nothing_is_due_the_lock_is_left_alone(database, relay_for, owe, clock):
    await owe(count=3)
    await relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 3, slots=3)).run_once()
    clock.advance(500)
    said = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, *_):
        said.append(statement)

    await relay_for(health=POLICY, crm=ill()).run_once()
    event.remove(database.writer.sync_engine, "before_cursor_execute", listen)
    assert not [statement for statement in said if "endpoint_health" in statement or "advisory" in statement]


async def test_an_endpoint_to_which_nothing_is_due_costs_no_statement(database, relay_for, owe):
    others = {f"other-{number}": ill(ordered=True) for number in range(50)}
    relay = relay_for(crm=ill(), **others)
    said = []

    @event.listens_for(database.writer.sync_engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, *_):
        said.append(statement)

    assert await relay.run_once() == 0
    assert len([statement for statement in said if "callbacks" in statement]) == 1
    event.remove(database.writer.sync_engine, "before_cursor_execute", listen)
    await owe()
    assert await relay.run_once() == 1


async def test_a_callback_that_is_due_behind_another_one_uses_up_no_probe(relay_for, owe, ward, clock):
    await owe(ordinals=(1, 2))
    relay = relay_for(health=ONCE, schedule=LONG, crm=ill(FAILED, ordered=True))
    await relay.run_once()
    clock.advance(500)
    assert await relay.run_once() == 0
    assert await ward.state() is State.OPEN


async def test_a_probe_that_is_delivered_lets_all_the_rest_out(database, relay_for, owe, ward, clock):
    await owe(count=6)
    crm = ill(*[FAILED] * 3, slots=3)
    relay = relay_for(health=POLICY, schedule=LONG, crm=crm)
    await relay.run_once()
    clock.advance(5)
    assert [await relay.run_once(), await relay.run_once(), await relay.run_once()] == [1, 2, 0]
    assert await ward.state() is State.CLOSED
    clock.advance(1000)
    assert await relay.run_once() == 3
    assert {status for status, *_ in await callbacks(database)} == {"delivered"}


async def test_a_probe_that_was_lost_with_its_node_is_followed_by_another_one(relay_for, owe, ward, clock):
    await owe(count=9)
    lost = Hanging(*[FAILED] * 3, guarded=True, slots=3)
    lost.go_on.set()
    node = relay_for(health=POLICY, schedule=LONG, crm=lost)
    await node.run_once()
    lost.go_on.clear()
    clock.advance(5)
    probing = asyncio.create_task(node.run_once())
    for _ in range(4):
        await lost.begun.acquire()
    other = relay_for(health=POLICY, schedule=LONG, crm=ill())
    clock.advance(49.999)
    assert await other.run_once() == 0
    clock.advance(0.001)
    assert await other.run_once() == 1
    assert await ward.state() is State.CLOSED
    lost.go_on.set()
    await probing


async def test_a_function_that_fails_holds_up_no_other_session(relay_for, owe, ward):
    await owe(count=9)
    relay = relay_for(health=POLICY, schedule=LONG, crm=Scripted(*[FAILED] * 9, slots=3))
    assert [await relay.run_once() for _ in range(4)] == [3, 3, 3, 0]
    assert await ward.state() is State.CLOSED


async def test_an_endpoint_that_is_ill_delays_nobody_else(relay_for, owe):
    await owe(count=4)
    await owe("erp", count=4)
    relay = relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 9, slots=3), erp=ill(slots=2))
    assert [await relay.run_once(), await relay.run_once(), await relay.run_once()] == [5, 2, 0]


async def test_a_slow_endpoint_delays_nobody_else(relay_for, owe):
    await owe(count=3)
    slow, erp = Hanging(guarded=True, slots=2), ill(slots=1)
    relay = relay_for(health=POLICY, crm=slow, erp=erp)
    first = asyncio.create_task(relay.run_once())
    for _ in range(2):
        await slow.begun.acquire()
    await owe("erp", count=2)
    assert [await relay.run_once(), await relay.run_once()] == [1, 1]
    assert len(erp.claims) == 2
    slow.go_on.set()
    await first


async def test_a_disabled_endpoint_gets_nothing_and_once_enabled_all_that_is_due(database, relay_for, owe, ward, clock):
    await owe(count=3)
    relay = relay_for(health=POLICY, crm=ill())
    await ward.disable()
    clock.advance(1_000_000)
    assert await relay.run_once() == 0
    assert await callbacks(database) == [("pending", 0, 0)] * 3
    await ward.enable()
    assert await relay.run_once() == 3
    assert await relay.run_once() == 0


async def test_an_endpoint_that_says_410_gets_nothing_more(database, relay_for, owe, clock):
    async with Receiver(HttpAnswer(410)) as receiver, open_client(Reach(loopback=True)) as client:
        crm = HttpSender(Endpoint("crm", receiver.url, (SECRET,), concurrency=1), client)
        relay = relay_for(health=POLICY, crm=crm)
        await owe(count=3)
        assert await relay.run_once() == 1
        clock.advance(1_000_000)
        assert await relay.run_once() == 0
    assert sorted(await callbacks(database)) == [("dead", 1, 1), ("pending", 0, 0), ("pending", 0, 0)]


async def test_an_endpoint_that_never_answers_200_is_disabled_after_days(relay_for, owe, ward, clock):
    relay = relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 9, slots=1))
    for day in range(4):
        await owe(seed=day)
        assert await relay.run_once() == 1
        clock.advance(86_400)
    assert await ward.state() is State.OPEN
    clock.advance(86_400)
    await relay.run_once()
    assert await ward.state() is State.DISABLED


async def test_a_pause_asked_for_counts_as_a_failure(relay_for, owe, ward):
    await owe(count=3)
    asked = Answer(Outcome.FAILED, "HTTP 503", not_before=timedelta(seconds=60))
    await relay_for(health=POLICY, crm=ill(asked, asked, asked, slots=3)).run_once()
    assert await ward.state() is State.OPEN


async def test_a_late_workers_failure_is_not_counted_and_its_delivery_is(relay_for, owe, ward, writer, clock):
    await owe()
    late, prompt = Hanging(FAILED, guarded=True), Hanging(FAILED, guarded=True)
    outrun = asyncio.create_task(relay_for(health=POLICY, crm=late).run_once())
    await late.begun.acquire()
    clock.advance(50)
    current = asyncio.create_task(relay_for(health=POLICY, crm=prompt).run_once())
    await prompt.begun.acquire()
    for each in (late, prompt):
        each.go_on.set()
    await asyncio.gather(outrun, current)
    assert (await writer.execute(lambda c, _now: health.read(c, "crm"))).failures == 1


async def test_the_rate_is_kept_and_what_it_held_back_goes_out_as_soon_as_it_may(relay_for, owe):
    await owe(count=9)
    seconds = [100.0]
    crm, erp = ill(rate=20, slots=8), ill(slots=8)
    relay = relay_for(crm=crm, erp=erp, clock=lambda: seconds[0])
    assert [await relay.run_once(), await relay.run_once()] == [2, 0]
    assert relay._throttle.next_at() == pytest.approx(100.1)
    seconds[0] = 100.05
    assert [await relay.run_once(), await relay.run_once()] == [1, 0]
    await owe("erp")
    assert await relay.run_once() == 1
    seconds[0] = 200.0
    assert [await relay.run_once(), await relay.run_once()] == [2, 0]


async def test_a_relay_that_runs_wakes_itself_for_what_a_rate_held_back(relay_for, owe):
    await owe(count=3)
    crm = Hanging(rate=20)
    crm.go_on.set()
    relay = relay_for(crm=crm, poll=1000, clock=count(0, 0.01).__next__)
    task = asyncio.create_task(relay.run())
    for _ in range(3):
        await asyncio.wait_for(crm.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_a_relay_that_runs_sends_the_rest_once_a_probe_was_delivered(relay_for, owe, clock, ward):
    await owe(count=9)
    await relay_for(health=POLICY, schedule=LONG, crm=ill(*[FAILED] * 3, slots=3)).run_once()
    clock.advance(5)
    crm = Hanging(guarded=True, slots=3)
    crm.go_on.set()
    relay = relay_for(health=POLICY, schedule=LONG, crm=crm, poll=1000)
    task = asyncio.create_task(relay.run())
    for _ in range(6):
        await asyncio.wait_for(crm.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def order(database):
    return await rows(database, "SELECT ordinal, status, tries FROM callbacks ORDER BY session_id, ordinal")


async def test_a_sessions_callbacks_go_out_one_behind_the_other(relay_for, owe):
    await owe(count=2, ordinals=(1, 2, 3))
    crm = ill(ordered=True)
    relay = relay_for(crm=crm)
    assert [await relay.run_once() for _ in range(4)] == [2, 2, 2, 0]
    assert [claim.ordinal for claim in crm.claims] == [1, 1, 2, 2, 3, 3]


async def test_the_order_is_kept_under_failures_and_across_nodes(database, relay_for, owe, clock):
    await owe(ordinals=(1, 2, 3))
    crm = Hanging(FAILED, ordered=True)
    first, second = relay_for(crm=crm), relay_for(crm=crm)
    attempt = asyncio.create_task(first.run_once())
    await crm.begun.acquire()
    assert await second.run_once() == 0
    crm.go_on.set()
    assert await attempt == 1
    assert await second.run_once() == 0
    clock.advance(5)
    assert [await second.run_once(), await first.run_once(), await second.run_once()] == [1, 1, 1]
    assert [claim.ordinal for claim in crm.claims] == [1, 1, 2, 3]
    assert await order(database) == [(1, "delivered", 1), (2, "delivered", 0), (3, "delivered", 0)]


async def test_a_dead_callback_no_longer_blocks_those_behind_it(database, relay_for, owe):
    await owe(ordinals=(1, 2))
    relay = relay_for(crm=ill(Answer(Outcome.GAVE_UP, "HTTP 422"), ordered=True))
    assert [await relay.run_once(), await relay.run_once()] == [1, 1]
    assert await order(database) == [(1, "dead", 1), (2, "delivered", 0)]


async def test_a_session_that_waits_for_its_turn_holds_up_no_other_session(relay_for, owe):
    await owe(ordinals=(1, 2))
    await owe(seed=1, ordinals=(1, 2))
    crm = ill(FAILED, ordered=True, slots=1)
    relay = relay_for(crm=crm)
    assert [await relay.run_once() for _ in range(4)] == [1, 1, 1, 0]
    assert [claim.ordinal for claim in crm.claims] == [1, 1, 2]


async def test_a_probe_keeps_the_order_as_well(relay_for, owe, clock):
    await owe(count=3, ordinals=(1, 2))
    crm = ill(*[FAILED] * 3, ordered=True, slots=3)
    relay = relay_for(health=POLICY, schedule=(0, 5, 5), crm=crm)
    assert await relay.run_once() == 3
    clock.advance(5)
    assert [await relay.run_once(), await relay.run_once(), await relay.run_once()] == [1, 3, 2]
    assert [claim.ordinal for claim in crm.claims] == [1, 1, 1, 1, *[claim.ordinal for claim in crm.claims[4:]]]
    places = {claim.session_id: [] for claim in crm.claims}
    for claim in crm.claims[3:]:
        places[claim.session_id].append(claim.ordinal)
    assert list(places.values()) == [[1, 2]] * 3


async def test_a_relay_that_runs_sends_the_next_step_without_waiting_for_a_poll(relay_for, owe):
    await owe(ordinals=(1, 2, 3))
    crm = Hanging(DELIVERED, Answer(Outcome.GAVE_UP, "HTTP 422"), ordered=True, slots=8)
    crm.go_on.set()
    relay = relay_for(crm=crm, poll=1000)
    task = asyncio.create_task(relay.run())
    for _ in range(3):
        await asyncio.wait_for(crm.begun.acquire(), 10)
    await relay.close()
    await asyncio.wait_for(task, 10)


async def test_what_a_late_worker_delivered_holds_up_the_next_step_no_longer(relay_for, owe, clock):
    await owe(ordinals=(1, 2))
    late, prompt = Hanging(ordered=True), ill(FAILED, ordered=True)
    outrun = asyncio.create_task(relay_for(crm=late).run_once())
    await late.begun.acquire()
    clock.advance(50)
    relay = relay_for(schedule=LONG, crm=prompt)
    assert [await relay.run_once(), await relay.run_once()] == [1, 0]
    late.go_on.set()
    await outrun
    assert await relay.run_once() == 1
    assert [claim.ordinal for claim in prompt.claims] == [1, 2]


async def test_an_endpoints_settings_are_its_senders_limits():
    async with open_client(Reach(loopback=True)) as client:
        plain = HttpSender(Endpoint("crm", "https://crm.example", (SECRET,)), client)
        steps = Endpoint("crm", "https://crm.example", (SECRET,), scope=Scope.ALL, concurrency=3, rate=2.5)
        every = HttpSender(steps, client)
    assert (plain.slots, plain.rate, plain.guarded, plain.ordered) == (8, None, True, False)
    assert (every.slots, every.rate, every.guarded, every.ordered) == (3, 2.5, True, True)
