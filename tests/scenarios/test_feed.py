"""Two consumers read the feed while 20,000 steps are written, and one of them is killed in between.

On PostgreSQL two nodes write, each to half of every session, so that their commits interleave. Positions are 1, 2, 3
and so on: who reads them one behind the other, without one missing, has seen none come in behind it.
"""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid5

import pytest

import forge
from consumer import Consumer, Taken
from serving import Serving, burst

SIGNER = forge.signer("curve", "ES256")
SESSIONS = 10_000
STEPS = 2 * SESSIONS
SEED = UUID(int=21)
NODES = {"sqlite": 1, "postgresql": 2}


def webhooks(nodes: int) -> list[list[str]]:
    """What each node is sent, at about the same time: of every session one event to the one, the next to the other."""
    sent: list[list[str]] = [[] for _ in range(nodes)]
    for number in range(SESSIONS):
        session = uuid5(SEED, str(number))
        for sequence, name in enumerate(("session.created", "session.completed"), 1):
            token = forge.token(forge.event(name, sequence, session), signer=SIGNER)
            sent[(number + sequence) % nodes].append(token)
    return sent


def node(directory: Path, number: int, database_url: str) -> Serving:
    folder = directory / f"node-{number}"
    folder.mkdir()
    idnow = {"algorithms": ["ES256"]}
    return Serving(folder, database_url=database_url, keys=forge.jwks(SIGNER), idnow=idnow, measured=False)


def place(service: Serving, name: str) -> None:
    beginning = {"position": "start", "transitions": "all"}
    assert service.http.put(f"/v1/feed/consumers/{name}", json=beginning).status_code == 201


def check_order(items: list[Taken], first: int) -> None:
    """No gap, no repeat, and the steps of each session in their order."""
    assert [each.position for each in items] == list(range(first, STEPS + 1))
    reached: dict[str, int] = {}
    for each in items:
        before = reached.setdefault(each.session_id, each.ordinal - 1)
        assert each.ordinal == before + 1
        reached[each.session_id] = each.ordinal


def check_steady(consumer: Consumer) -> None:
    (run,) = consumer.runs()
    check_order(run.items, 1)


def check_killed(consumer: Consumer) -> None:
    """What it took before it was killed is cut to the position that was kept: from there it took the rest, once."""
    before, after = consumer.runs()
    assert 0 <= after.kept <= len(before.items)
    assert [each.position for each in before.items] == list(range(1, len(before.items) + 1))
    assert after.items[: len(before.items) - after.kept] == before.items[after.kept :]
    check_order([*before.items[: after.kept], *after.items], 1)


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_two_consumers_see_every_step_once_and_in_order_though_one_is_killed(
    database, engine_name, database_url, tmp_path
):
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(tmp_path, n, database_url)) for n in range(NODES[engine_name])]
        for name in ("steady", "killed"):
            place(nodes[0], name)
        steady = Consumer(tmp_path, "steady", nodes[-1].port, STEPS)
        killed = Consumer(tmp_path, "killed", nodes[0].port, STEPS)
        stack.callback(steady.kill)
        stack.callback(killed.kill)

        def heard(_count: int) -> None:
            if len(starts) == 1 and killed.taken() > STEPS // 4:
                killed.kill()
                killed.start()
                starts.append(killed.taken())

        starts = [0]
        sent = webhooks(len(nodes))
        bursts = (burst(each.port, tokens, 16, heard) for each, tokens in zip(nodes, sent, strict=True))
        answers = await asyncio.gather(*bursts)
        assert {status for each in answers for status, _ in each.values()} == {200}
        assert (steady.wait(), killed.wait()) == (0, 0)
        assert starts[1:], "it was to be killed while others wrote"
        consumers = nodes[0].http.get("/v1/feed/consumers").json()
        assert [(each["name"], each["lag"]) for each in consumers["items"]] == [("killed", 0), ("steady", 0)]
        assert consumers["head"] == str(STEPS)
        check_steady(steady)
        check_killed(killed)
