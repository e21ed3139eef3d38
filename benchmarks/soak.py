"""`python -m benchmarks.soak`: ten minutes at about half the load that the service can take; memory must stay flat.

The load is the life that a service leads: stories out of order, repeated and with gaps that are closed, garbage, and
forgeries under invented key names. What could grow without bound (the queue, the key ring, the held events, the logs)
is looked at in the end. Exit 1 if something grew, or was answered otherwise than it must be.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.load import HOST, Load, Outgoing
from benchmarks.servers import STATEKEEPER, Server, running
from benchmarks.traffic import AUDIENCE, WEBHOOK, claims, open_issuer, post
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.plots import Faults, tell

FAULTS = Faults(reordered=0.1, delayed=0, repeated=0.1, dropped=0, lost=0.05, forged=0)
SESSIONS_A_DAY = 500
SAMPLE_SECONDS = 2.0
GROWTH = 0.05
SLACK = 4e6
LOG_BYTES_A_REQUEST = 120
_NOISE = 25
_GAP_TIMEOUT = 2.0


def requests(issuer: Issuer) -> Iterator[Outgoing]:
    """Webhooks without end, signed as they are sent, and noise among them."""
    for seed in itertools.count(1):
        stories = tell(SESSIONS_A_DAY, seed, FAULTS).stories
        pairs = sorted(((story, each) for story in stories for each in story.deliveries), key=lambda pair: pair[1].at)
        for number, (story, delivery) in enumerate(pairs):
            data = story.data(delivery.event, delivery.attempt, datetime.now(UTC))
            yield Outgoing(post(WEBHOOK, issuer.sign(claims(issuer, story, delivery)).encode()))
            if number % _NOISE == 0:
                yield Outgoing(post(WEBHOOK, os.urandom(200)), frozenset({400}))
            elif number % _NOISE == 1:
                yield Outgoing(post(WEBHOOK, invented(issuer, data)), frozenset({401, 503}))


def invented(issuer: Issuer, data: dict[str, object]) -> bytes:
    """A token whose key has a name that nobody has heard before."""
    named = {"alg": "RS256", "kid": os.urandom(8).hex()}
    header = base64.urlsafe_b64encode(json.dumps(named).encode()).rstrip(b"=")
    payload, signature = issuer.sign(issuer.claims(data, AUDIENCE, time.time())).encode().split(b".")[1:]
    return b".".join([header, payload, signature])


async def watch(server: Server, memory: list[int], progress: Progress, minutes: float) -> None:
    task = progress.add_task("soaking", total=minutes * 60 / SAMPLE_SECONDS)
    while not progress.finished:
        await asyncio.sleep(SAMPLE_SECONDS)
        memory.append(server.memory or 0)
        progress.update(task, advance=1, description=f"{memory[-1] / 1e6:.0f} MB")


async def soak(minutes: float, rate: float) -> tuple[Load, list[int], dict[str, float], int]:
    memory: list[int] = []
    with tempfile.TemporaryDirectory(prefix="statekeeper-soak-") as folder:
        issuer = open_issuer(Path(folder) / "keys.json")
        source = itertools.islice(requests(issuer), int(rate * minutes * 60))
        load = Load(source, pace=rate, keep_times=False)
        extra = {"STATEKEEPER_ORDERING__GAP_TIMEOUT": str(_GAP_TIMEOUT)}
        with running(STATEKEEPER, Path(folder) / "keys.json", extra) as server, Progress() as progress:
            await server.ready()
            watching = asyncio.create_task(watch(server, memory, progress, minutes))
            await load.run(server.port, 32)
            watching.cancel()
            await asyncio.sleep(_GAP_TIMEOUT * 3)
            figures = await metrics(server.port)
            return load, memory, figures, server.log.stat().st_size


async def metrics(port: int) -> dict[str, float]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(f"GET /metrics HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n".encode())
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("statekeeper_"))
    return {name: float(value) for name, value in pairs}


def growth(memory: list[int]) -> float:
    """Bytes by which the last quarter of the samples is above the second one: the first is warm-up."""
    quarter = max(len(memory) // 4, 1)
    return statistics.mean(memory[-quarter:]) - statistics.mean(memory[quarter : quarter * 2] or memory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10, at most 120)")
    parser.add_argument("--rate", type=float, default=800, help="webhooks a second (default 800)")
    options = parser.parse_args()
    load, memory, figures, log_bytes = uvloop.run(soak(min(options.minutes, 120), options.rate))
    grown, bound = growth(memory), statistics.mean(memory) * GROWTH + SLACK
    sent, held = load.tally.statuses.total(), figures["statekeeper_held_sessions"]
    checks = {
        f"memory grew by {grown / 1e6:.1f} MB, bound {bound / 1e6:.1f}": grown <= bound,
        f"{load.tally.refused} of {sent} answered otherwise than they must be": load.tally.refused == 0,
        f"{held:.0f} sessions still hold events": not held,
        f"{log_bytes / 1e6:.1f} MB of logs": log_bytes <= sent * LOG_BYTES_A_REQUEST,
    }
    table = Table("what", "")
    for what, well in checks.items():
        table.add_row(what, "well" if well else "WRONG")
    Console().print(table)
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
