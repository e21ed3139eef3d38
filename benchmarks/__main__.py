"""`python -m benchmarks`: the table of ratios, and what else a user asks of speed. `--help` lists the switches."""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.feeds import reads_a_second, stream_seconds
from benchmarks.idle import SECRET, callback_seconds
from benchmarks.load import HOST, Load, Outgoing
from benchmarks.outward import Story, callbacks_a_second, latency_beside
from benchmarks.servers import FLOOR, PEER, STATEKEEPER, Contender, running
from benchmarks.traffic import AUDIENCE, WEBHOOK, Traffic, get, open_issuer, post, sign_traffic
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.plots import Faults, tell

CONNECTIONS = 64
PEER_SHARE = 10
# Each end owes a callback, as it does in the peer's store. It is due in an hour: what is measured is the intake.
OUTBOX = {
    "STATEKEEPER_ENDPOINTS": json.dumps([{"name": "crm", "url": f"http://{HOST}:9/", "secrets": [SECRET]}]),
    "STATEKEEPER_DELIVERY__SCHEDULE": "3600",
}
_NO_FAULTS = Faults(reordered=0, delayed=0, repeated=0, dropped=0, lost=0, forged=0)


@dataclass(frozen=True, slots=True)
class Run:
    """One contender in one round; times in seconds."""

    contender: str
    rate: float
    p50: float
    p99: float
    refused: int
    lost: int
    processor_us: float
    queries: float | None
    feed_reads: float | None
    memory: int | None
    bytes_a_session: float


@dataclass(frozen=True, slots=True)
class Figure:
    """What is shown: a measure, what was found, and the bound that it is held against."""

    name: str
    found: float
    bound: str
    met: bool


async def ingest(contender: Contender, traffic: Traffic, count: int) -> Run:
    """Send `count` webhooks as fast as they are answered, and then ask for sessions as fast as those are."""
    with running(contender, traffic.keys, OUTBOX if contender is STATEKEEPER else {}) as server:
        await server.ready()
        before = server.processor_seconds or 0.0
        tally = await Load(traffic.first(count)).run(server.port, CONNECTIONS)
        used = (server.processor_seconds or 0.0) - before
        memory, queries, feed_reads = server.memory, None, None
        if contender is STATEKEEPER:
            asked = [Outgoing(get(f"/v1/sessions/{each}")) for each in traffic.sessions[: count // 4]]
            answers = await Load(iter(asked * 4)).run(server.port, CONNECTIONS)
            queries = answers.rate() if not answers.refused else 0.0
            feed_reads = await reads_a_second(server, len(traffic.sessions) * count // len(traffic.webhooks))
        server.stop()
        lost = tally.statuses[200] - server.stored() if contender is not PEER else 0  # the peer keeps no repeats
        sessions = len(traffic.sessions) * count / len(traffic.webhooks)
        return Run(
            contender.name,
            tally.rate(),
            tally.quantile(0.5),
            tally.quantile(0.99),
            tally.refused,
            lost,
            used / count * 1e6,
            queries,
            feed_reads,
            memory,
            server.bytes_on_disk / sessions,
        )


@dataclass(frozen=True, slots=True)
class Outward:
    """What leaves, and how fast: rates a second, times in seconds."""

    callback: float
    stream: float
    one: float
    ten: float
    alone: float
    beside: float


async def outward(traffic: Traffic, told: list[Story]) -> Outward:
    return Outward(
        callback=statistics.median(await callback_seconds(traffic, told[:50])),
        stream=statistics.median(await stream_seconds(traffic, told[:50])),
        one=await callbacks_a_second(traffic, told, 1),
        ten=await callbacks_a_second(traffic, told[: len(told) // 4], 10),
        alone=await latency_beside(traffic, told, ill=False),
        beside=await latency_beside(traffic, told, ill=True),
    )


def stories(issuer: Issuer, count: int) -> list[Story]:
    """Sessions of two events each, for when nothing else is to do."""
    found = []
    for story in tell(count * 3, 99, _NO_FAULTS).stories:
        if len(story.events) == 2 and story.end:
            datas = [story.data(event, 1, datetime.now(UTC)) for event in story.events]
            tokens = [issuer.sign(issuer.claims(data, AUDIENCE, time.time())) for data in datas]
            found.append(tuple(Outgoing(post(WEBHOOK, token.encode())) for token in tokens))
    return found[:count]


def median(runs: list[Run], contender: Contender, member: str) -> float:
    return statistics.median(getattr(run, member) or 0.0 for run in runs if run.contender == contender.name)


def figures(runs: list[Run], left: Outward) -> list[Figure]:
    def of(contender: Contender, member: str = "rate") -> float:
        return median(runs, contender, member)

    peer, floor = of(STATEKEEPER) / of(PEER), of(STATEKEEPER) / of(FLOOR)
    p99, queries = of(STATEKEEPER, "p99") * 1000, of(STATEKEEPER, "queries")
    beside = left.beside / left.alone
    wrong = sum(run.refused + run.lost for run in runs if run.contender != PEER.name)
    return [
        Figure("ingest, times the by-hand peer", peer, "at least 8", peer >= 8),
        Figure("ingest, part of the floor", floor, "at least 0.6", floor >= 0.6),
        Figure("ack p99, ms", p99, "under 100", p99 < 100),
        Figure("terminal 200 to its callback, ms, median", left.callback * 1000, "under 50", left.callback < 0.05),
        Figure("terminal 200 to its event on a stream, ms, median", left.stream * 1000, "", met=True),
        Figure("callbacks a second through one endpoint", left.one, "", met=True),
        Figure("callbacks a second through ten endpoints", left.ten, "", met=True),
        Figure("a well endpoint's latency beside an ill one, times alone", beside, "at most 1.5", beside <= 1.5),
        Figure("status queries a second", queries, "at least 2000", queries >= 2000),
        Figure("feed pages of a hundred a second", of(STATEKEEPER, "feed_reads"), "", met=True),
        Figure("refused or lost", wrong, "0", wrong == 0),
    ]


def show(console: Console, runs: list[Run], found: list[Figure]) -> None:
    table = Table("contender", "events/s", "ack p50 ms", "ack p99 ms", "µs of its core", "MB", "bytes a session")
    for contender in (STATEKEEPER, FLOOR, PEER):
        names = ("rate", "p50", "p99", "processor_us", "memory", "bytes_a_session")
        rate, p50, p99, used, memory, disk = (median(runs, contender, name) for name in names)
        cells = (f"{rate:,.0f}", f"{p50 * 1000:.1f}", f"{p99 * 1000:.1f}", f"{used:.0f}")
        table.add_row(contender.name, *cells, f"{memory / 1e6:.0f}", f"{disk:,.0f}")
    console.print(table)
    table = Table("measure", "found", "bound", "")
    for each in found:
        verdict = ("met" if each.met else "MISSED") if each.bound else ""
        table.add_row(each.name, f"{each.found:,.2f}", each.bound, verdict)
    console.print(table)


async def measure(count: int, rounds: int, console: Console) -> tuple[list[Run], Outward]:
    with tempfile.TemporaryDirectory(prefix="statekeeper-bench-") as folder:
        keys = Path(folder) / "keys.json"
        issuer = open_issuer(keys)
        with console.status(f"signing {count} webhooks"):
            traffic = sign_traffic(issuer, keys, count, seed=1)
        gc.freeze()
        runs = []
        for number in range(1, rounds + 1):
            for contender in (STATEKEEPER, FLOOR, PEER):
                share = count // PEER_SHARE if contender is PEER else count
                with console.status(f"round {number} of {rounds}: {contender.name}, {share} webhooks"):
                    runs.append(await ingest(contender, traffic, share))
        with console.status("what leaves"):
            left = await outward(traffic, stories(issuer, count // 12))
    return runs, left


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--json", action="store_true", help="print every run and figure as JSON")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    count, rounds = (3000, 1) if options.quick else (12000, 3)
    runs, left = uvloop.run(measure(count, rounds, console))
    found = figures(runs, left)
    if options.json:
        print(json.dumps({"runs": [asdict(run) for run in runs], "figures": [asdict(each) for each in found]}))
    else:
        show(console, runs, found)
    sys.exit(0 if found[-1].met else 1)


if __name__ == "__main__":
    main()
