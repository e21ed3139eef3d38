"""kill -9 in the middle of a burst of 2,000 webhooks, at 54 moments: whatever was answered 200 is there.

A sender keeps 32 connections busy, in an order as a network makes it, and is cut off at a moment drawn at random: once
so many were answered, and up to a few commits later. Then the service starts on the same file, and goes on from there
into the next burst; what one crash left behind is there for all later ones to stumble on.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Condition
from uuid import UUID, uuid5

import pytest

import forge
from receiver import Answer, Request, receiving
from serving import Answers, Serving, burst

SEEDS, KILLS = range(6), 9
SESSIONS, EVENTS = 250, 8
BURST = SESSIONS * EVENTS
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SIGNER = forge.signer("curve", "ES256")
SESSION_ROWS = "SELECT session_id, cursor, state FROM sessions"
SUBSCRIBERS = ("crm", "ledger:enter")
CALLBACKS = """
import os
from pathlib import Path
from statekeeper import SessionEnded, on_terminal

entries = os.open(Path(__file__).with_name("entries.txt"), os.O_APPEND | os.O_CREAT | os.O_WRONLY)

@on_terminal
def enter(ended: SessionEnded) -> None:
    os.write(entries, f"{ended.callback_id}\\n".encode())
"""


@dataclass(frozen=True)
class Sent:
    """What a token tells of."""

    session_id: UUID
    event_id: str
    sequence: int


class Inbox:
    """Takes every callback, and keeps what came under each id."""

    def __init__(self) -> None:
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self._came = Condition()

    def __call__(self, request: Request) -> Answer:
        with self._came:
            self.bodies[request.headers["webhook-id"]].add(request.body)
            self._came.notify_all()
        return Answer()

    def has(self, ids: set[str]) -> bool:
        with self._came:
            return self._came.wait_for(lambda: ids <= self.bodies.keys(), timeout=60)


def webhooks(numbers: random.Random) -> dict[str, Sent]:
    """One burst by its tokens: the events of a session keep apart a little, and overtake one another."""
    told = []
    for start in range(SESSIONS):
        session = UUID(int=numbers.getrandbits(128), version=4)
        names = ["created", *["step_done"] * (EVENTS - 2), "completed"]
        for sequence, name in enumerate(names, 1):
            data = forge.event(f"session.{name}", sequence, session)
            told.append((start + numbers.uniform(0, 3) * sequence, data, Sent(session, data["eventId"], sequence)))
    told.sort(key=lambda entry: entry[0])
    return {forge.token(data, signer=SIGNER): sent for _, data, sent in told}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_was_answered_outlives_a_kill_at_any_moment_of_a_burst(serving, tmp_path, seed):
    (tmp_path / "ledger.py").write_text(CALLBACKS)
    numbers, inbox = random.Random(seed), Inbox()
    with receiving(otherwise=inbox) as receiver:
        service = serving(
            measured=False,
            keys=forge.jwks(SIGNER),
            idnow={"algorithms": ["ES256"]},
            ordering={"gap_timeout": 3600},
            callbacks=["ledger.py"],
            endpoints=[{"name": "crm", "url": receiver.url, "secrets": [SECRET]}],
        )
        for kill in numbers.sample(range(KILLS), KILLS):
            sent = webhooks(numbers)
            asked: list[str] = []
            moment = int(BURST * (kill + numbers.random()) / KILLS)
            answers = await cut_off(service, _noting(sent, asked), moment, numbers.uniform(0, 0.03))
            service.start()
            await check_crash(service, sent, asked, answers)
        service.kill()
        service.end_leases()
        service.start()
        check_callbacks(service, inbox)


def _noting(tokens: dict[str, Sent], asked: list[str]) -> Iterator[str]:
    for token in tokens:
        asked.append(token)
        yield token


async def cut_off(service: Serving, tokens: Iterator[str], moment: int, delay: float) -> Answers:
    """Send these, and kill the service `delay` seconds after `moment` of them were answered."""
    loop = asyncio.get_running_loop()

    def hear(count: int) -> None:
        if count == moment:
            loop.call_later(delay, service.process.kill)

    hear(0)
    answers = await burst(service.port, tokens, heard=hear)
    service.kill()
    return answers


async def check_crash(service: Serving, sent: dict[str, Sent], asked: list[str], answers: Answers) -> None:
    assert {status for status, _ in answers.values()} <= {200}
    assert service.sql("PRAGMA integrity_check") == [("ok",)]
    kept = {event_id for (event_id,) in service.sql("SELECT event_id FROM events")}
    assert {sent[token].event_id for token in answers} <= kept
    check_sessions(service, [sent[token] for token in answers], at_least=True)
    again = await burst(service.port, answers)
    assert Counter(answer["disposition"] for _, answer in again.values()) == Counter(duplicate=len(answers))
    retried = await burst(service.port, [token for token in asked if token not in answers])
    assert {status for status, _ in retried.values()} <= {200}
    check_sessions(service, [sent[token] for token in asked])


def check_sessions(service: Serving, came: list[Sent], *, at_least: bool = False) -> None:
    """Each session is as far as its events go; and one that has ended owes its callbacks, in any case."""
    numbers: dict[UUID, set[int]] = defaultdict(set)
    for sent in came:
        numbers[sent.session_id].add(sent.sequence)
    stored = {UUID(key): (cursor, state) for key, cursor, state in service.sql(SESSION_ROWS)}
    for session_id, found in numbers.items():
        run = next(number for number in range(EVENTS + 1) if number + 1 not in found)
        state = "completed" if run == EVENTS else "created" if run else "pending"
        assert stored[session_id][0] >= run if at_least else stored[session_id] == (run, state)
    assert owed(service) == {
        str(uuid5(UUID(session_id), f"2:{subscriber}"))
        for (session_id,) in service.sql("SELECT session_id FROM sessions WHERE terminal")
        for subscriber in SUBSCRIBERS
    }


def owed(service: Serving, where: str = "true") -> set[str]:
    return {str(UUID(key)) for (key,) in service.sql(f"SELECT callback_id FROM callbacks WHERE {where}")}


def check_callbacks(service: Serving, inbox: Inbox) -> None:
    """All that is owed arrives, each under its own id and with the same bytes whenever it came."""
    assert inbox.has(owed(service, "subscriber = 'crm'"))
    service.wait_until(lambda: not owed(service, "status <> 'delivered'"))
    assert inbox.bodies.keys() == owed(service, "subscriber = 'crm'")
    assert {len(bodies) for bodies in inbox.bodies.values()} == {1}
    entries = (service.directory / "entries.txt").read_text().split()
    assert set(entries) == owed(service, "subscriber = 'ledger:enter'")
