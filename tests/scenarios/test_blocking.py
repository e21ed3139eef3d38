"""A user function that blocks its thread, or its loop, for 15 s delays no webhook and no other subscriber.

It is measured while both block, and nobody waits for the 15 s to be over.
"""

import time
from itertools import pairwise

import pytest

import forge
from receiver import receiving
from serving import Serving, burst

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SESSIONS, LIMIT = 100, 5.0
FUNCTIONS = """
import time
from pathlib import Path
from statekeeper import SessionEnded, on_terminal

def note(what: str, ended: SessionEnded) -> None:
    with Path(__file__).with_name("notes.txt").open("a") as notes:
        notes.write(f"{what} {ended.session_id}\\n")

@on_terminal
def blocks_its_thread(ended: SessionEnded) -> None:
    note("thread-began", ended)
    time.sleep(15)
    note("thread-ended", ended)

@on_terminal
async def blocks_its_loop(ended: SessionEnded) -> None:
    note("loop-began", ended)
    time.sleep(15)
    note("loop-ended", ended)

@on_terminal
async def is_quick(ended: SessionEnded) -> None:
    note("quick", ended)

@on_terminal
def is_quick_and_plain(ended: SessionEnded) -> None:
    note("plain", ended)
"""


def noted(service: Serving, what: str) -> int:
    notes = service.directory / "notes.txt"
    return [line.split()[0] for line in notes.read_text().splitlines()].count(what) if notes.exists() else 0


@pytest.mark.timeout(120)
async def test_a_function_that_blocks_delays_no_webhook_and_no_other_subscriber(serving, tmp_path):
    (tmp_path / "bank.py").write_text(FUNCTIONS)
    stories = [[forge.token(data) for data in forge.story(seed)] for seed in range(SESSIONS + 1)]
    with receiving() as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        service = serving(callbacks=["bank.py"], endpoints=endpoints, measured=False)
        for token in stories[0]:
            service.post(token)
        service.wait_until(lambda: noted(service, "thread-began") == noted(service, "loop-began") == 1)
        began = time.monotonic()
        longest = await slowest_answer(service, [token for story in stories[1:] for token in story])
        receiver.wait_for(SESSIONS + 1)
        service.wait_until(lambda: noted(service, "quick") == noted(service, "plain") == SESSIONS + 1)
        assert time.monotonic() - began < 15
        assert noted(service, "thread-ended") == noted(service, "loop-ended") == 0
    assert longest < LIMIT
    assert noted(service, "loop-began") == 1
    assert 1 < noted(service, "thread-began") <= 4


async def slowest_answer(service: Serving, tokens: list[str]) -> float:
    """Send these one after another; the seconds that the slowest answer took."""
    heard = [time.monotonic()]
    answers = await burst(service.port, tokens, connections=1, heard=lambda _: heard.append(time.monotonic()))
    assert {status for status, _ in answers.values()} == {200}
    assert len(answers) == len(tokens)
    return max(later - earlier for earlier, later in pairwise(heard))
