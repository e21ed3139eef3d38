import asyncio
import json
import math
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache

import jwt
import pytest

from receiver import Answer, Receiver, Request
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.player import RETRY_PAUSES, Pace, Target, play
from statekeeper.simulator.plots import Faults, tell
from statekeeper.simulator.stories import Day, Fault
from statekeeper.simulator.tally import Tally

AUDIENCE = "https://statekeeper.test/webhooks/idnow"
CALM = Faults().times(0)


@cache
def issuer() -> Issuer:
    return Issuer("https://issuer.test")


class Clock:
    """Time that passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def pace(speed: float = math.inf, rate: float = math.inf, clock: Clock | None = None) -> Pace:
    clock = clock or Clock()
    return Pace(speed, rate, sleep=clock.sleep, now=lambda: clock.now)


async def run(day: Day, receiver: Receiver, **options) -> Tally:
    target = Target(receiver.url, AUDIENCE, connections=options.pop("connections", 8))
    return await play(day, issuer(), target, options.pop("pace", None) or pace(), **options)


def claims_of(request: Request) -> dict:
    return jwt.decode(request.body, options={"verify_signature": False})


def believes(request: Request) -> bool:
    try:
        claims = jwt.decode(
            request.body,
            jwt.PyJWKSet.from_dict(issuer().jwks())[jwt.get_unverified_header(request.body)["kid"]],
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=issuer().url,
        )
    except jwt.InvalidTokenError:
        return False
    return claims["sub"] == claims["data"]["eventId"]


def as_a_service(request: Request) -> Answer:
    return Answer(body=b'{"disposition": "applied"}') if believes(request) else Answer(401)


async def test_each_event_arrives_as_the_provider_sends_it():
    day = tell(1, 3, CALM)
    async with Receiver() as receiver:
        await run(day, receiver)
    [story] = day.stories
    assert [claims_of(request)["data"]["eventId"] for request in receiver.requests] == [
        event.event_id for event in story.events
    ]
    first = receiver.requests[0]
    claims = claims_of(first)
    assert (first.method, first.headers["content-type"]) == ("POST", "application/jwt")
    assert believes(first)
    assert claims["exp"] - claims["iat"] == 3600
    assert 0 < claims["iat"] - datetime.fromisoformat(claims["data"]["createdAt"]).timestamp() <= 1.4


async def test_a_service_that_believes_whom_it_should_is_as_expected():
    day = tell(40, 7)
    async with Receiver(otherwise=as_a_service) as receiver:
        tally = await run(day, receiver)
    planned = Counter(delivery.fault for story in day.stories for delivery in story.deliveries)
    assert tally.as_expected
    assert tally.planned == tally.done == day.deliveries
    assert tally.faults == planned
    assert tally.requests == len(receiver.requests) == planned.total() - planned[Fault.LOST] - planned[Fault.DROPPED]
    assert tally.answers["401"] == tally.refused.total() == planned[Fault.FORGED]
    assert tally.answers["200"] == tally.dispositions["applied"] == tally.requests - planned[Fault.FORGED]
    assert tally.sent == len(tally.taken)
    assert json.loads(json.dumps(tally.to_json()))["asExpected"] is True


async def test_the_taken_events_say_where_each_session_must_be():
    day = tell(40, 7)
    async with Receiver(otherwise=as_a_service) as receiver:
        tally = await run(day, receiver)
    assert [story.state_after(tally.taken) for story in day.stories] == [story.state for story in day.stories]


async def test_deliveries_of_a_session_leave_in_the_plans_order():
    day = tell(30, 7)
    async with Receiver(otherwise=as_a_service) as receiver:
        await run(day, receiver, connections=30)
    seen = defaultdict(list)
    for request in receiver.requests:
        data = claims_of(request)["data"]
        seen[data["payload"]["sessionId"]].append((data["eventId"], data["eventDeliverId"]))
    for story in day.stories:
        plan = [(each.event.event_id, str(each.attempt)) for each in story.deliveries if each.arrives]
        assert seen[str(story.session_id)] == plan


@pytest.mark.parametrize("first", [Answer(503), Answer(400), Answer(302), Answer(drop=True)])
async def test_an_event_that_is_not_taken_is_sent_again_newly_numbered_and_signed(first: Answer):
    clock = Clock()
    async with Receiver(first) as receiver:
        tally = await run(tell(1, 3, CALM), receiver, pace=pace(clock=clock))
    before, again = (claims_of(request)["data"] for request in receiver.requests[:2])
    assert (before.pop("eventDeliverId"), again.pop("eventDeliverId")) == ("1", "2")
    assert before.pop("createdAt") <= again.pop("createdAt")
    assert before == again
    assert clock.slept == [RETRY_PAUSES[0]]
    assert tally.as_expected
    assert tally.retried == 1


async def test_after_three_attempts_the_provider_gives_up():
    day = tell(1, 3, CALM)
    clock = Clock()
    async with Receiver(otherwise=lambda _: Answer(500)) as receiver:
        tally = await run(day, receiver, pace=pace(clock=clock))
    [story] = day.stories
    numbers = [claims_of(request)["data"]["eventDeliverId"] for request in receiver.requests]
    assert numbers == ["1", "2", "3"] * len(story.events)
    assert clock.slept == [*RETRY_PAUSES] * len(story.events)
    assert not tally.taken
    assert [failure.delivery.event for failure in tally.failures] == list(story.events)
    assert tally.retried == 2 * len(story.events)


async def test_a_lost_attempt_is_one_of_the_three():
    day = tell(1, 3, Faults(reordered=0, delayed=0, repeated=0, dropped=1, lost=0, forged=0))
    async with Receiver(otherwise=lambda _: Answer(503)) as receiver:
        await run(day, receiver)
    [story] = day.stories
    numbers = [claims_of(request)["data"]["eventDeliverId"] for request in receiver.requests]
    assert numbers == ["2", "3"] * len(story.events)


async def test_a_repeat_is_not_sent_when_the_attempts_are_used_up():
    day = tell(1, 3, Faults(reordered=0, delayed=0, repeated=1, dropped=0, lost=0, forged=0))
    async with Receiver(otherwise=lambda _: Answer(503)) as receiver:
        tally = await run(day, receiver)
    [story] = day.stories
    assert len(receiver.requests) == 3 * len(story.events)
    assert tally.faults == {Fault.NONE: len(story.events)}
    assert len(tally.failures) == len(story.events)


async def test_a_forgery_that_is_taken_or_not_plainly_refused_is_a_failure():
    day = tell(30, 7, Faults(reordered=0, delayed=0, repeated=0, dropped=0, lost=0, forged=1))
    forged = [each for story in day.stories for each in story.deliveries if each.forgery]
    async with Receiver() as receiver:
        tally = await run(day, receiver)
    assert not tally.as_expected
    assert {failure.delivery.event.event_id for failure in tally.failures} == {each.event.event_id for each in forged}
    assert tally.retried == 0
    async with Receiver(otherwise=lambda request: Answer() if believes(request) else Answer(400)) as receiver:
        tally = await run(day, receiver)
    assert len(tally.failures) == len(forged)
    assert tally.retried == 0


async def test_a_forger_tries_again_where_the_service_could_not_answer():
    day = tell(1, 7, Faults(reordered=0, delayed=0, repeated=0, dropped=0, lost=0, forged=1))
    refusals = iter([Answer(503)])
    async with Receiver(otherwise=lambda request: Answer() if believes(request) else next(refusals, Answer(401))) as it:
        tally = await run(day, it)
    assert tally.as_expected
    assert tally.retried == 1


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"disposition": 7}', b"{}", b"\xff"])
async def test_a_service_need_not_tell_a_disposition(body: bytes):
    async with Receiver(otherwise=lambda _: Answer(body=body)) as receiver:
        tally = await run(tell(2, 3, CALM), receiver)
    assert tally.as_expected
    assert not tally.dispositions


async def test_no_more_is_on_its_way_than_allowed():
    release = asyncio.Event()
    answers = [Answer(until=release)] * 5
    async with Receiver(*answers) as receiver:
        playing = asyncio.create_task(run(tell(20, 3, CALM), receiver, connections=5))
        await receiver.wait_for(5)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(receiver.requests) == 5
        release.set()
        assert (await playing).as_expected


async def test_progress_is_told_after_each_delivery():
    seen = []
    day = tell(10, 7)
    async with Receiver(otherwise=as_a_service) as receiver:
        await run(day, receiver, on_progress=lambda tally: seen.append(tally.done))
    assert seen == list(range(1, day.deliveries + 1))


async def test_the_key_is_rotated_during_the_day():
    before = issuer().key.kid
    day = tell(30, 7, CALM)
    async with Receiver() as receiver:
        await run(day, receiver)
    assert day.rotations
    assert issuer().key.kid != before


async def test_a_day_is_compressed():
    clock = Clock()
    quick = pace(speed=60, clock=clock)
    await quick.until(120)
    await quick.until(60)
    assert clock.slept == [2]
    assert clock.now == 1002


async def test_requests_take_turns_under_the_rate():
    clock = Clock()
    slow = pace(rate=4, clock=clock)
    for _ in range(3):
        await slow.turn()
    assert clock.slept == [0.25, 0.25]


async def test_a_run_keeps_to_its_rate():
    clock = Clock()
    async with Receiver() as receiver:
        tally = await run(tell(1, 3, CALM), receiver, pace=pace(rate=4, clock=clock))
    assert clock.slept == [0.25] * (tally.requests - 1) != []
