"""`python -m benchmarks.console`: what the console's pages ask of a store with a million sessions, on SQLite.

Each page's own query is asked many times, the list with every combination of filters, on the first page and on the
next; values that are frequent, rare and that fit nothing. Bounds: 50 ms at the median for a page, 300 ms for any
combination. Exit 1 if one is missed. `--keep` names a folder for the store, which is filled only if it is not there.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.crowd import RARE_SUBSCRIBER, SUBSCRIBERS
from benchmarks.filling import fill, is_store
from benchmarks.questions import Question, combinations, pages
from statekeeper.store.database import Database
from statekeeper.store.queries import Queries
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.queries.listing import ListingFilter
from statekeeper.store.queries.reader import Reader

PAGE_MS: Final = 50
ANY_MS: Final = 300
TIMES: Final = 30


@dataclass(frozen=True, slots=True)
class Timed:
    """One question, and what it took, in milliseconds."""

    name: str
    milliseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.95)]


async def timed(name: str, question: Question, times: int) -> Timed:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await question()
        taken.append((time.perf_counter() - began) * 1000)
    return Timed(name, tuple(taken))


async def filtered(queries: Queries, until: datetime, times: int) -> list[Timed]:
    """Each combination's first page, and the one behind it."""
    found = []
    for wanted in combinations(until):
        name = ", ".join(f"{key} {value}" for key, value in wanted.items() if value) or "none"
        asked = ListingFilter(**wanted)
        page = await queries.listing.page(asked)
        found.append(await timed(name, lambda asked=asked: queries.listing.page(asked), times))
        if page.next_cursor:
            again = lambda asked=asked, at=page.next_cursor: queries.listing.page(asked, 50, at)  # noqa: E731
            found.append(await timed(f"{name}; next", again, times))
    return found


async def filtered_callbacks(queries: Queries, until: datetime, times: int) -> list[Timed]:
    statuses = ((), ("pending",), ("dead",), ("delivered",), ("pending", "dead"))
    found = []
    for status, subscriber, due in product(statuses, (None, *SUBSCRIBERS, RARE_SUBSCRIBER, "nobody"), (None, until)):
        asked = CallbackFilter(status, subscriber, due)
        name = f"callbacks: {'/'.join(status) or 'all'} of {subscriber or 'all'}{', due' if due else ''}"
        page = await queries.callbacks.page(asked)
        found.append(await timed(name, lambda asked=asked: queries.callbacks.page(asked), times))
        if page.next_cursor:
            again = lambda asked=asked, at=page.next_cursor: queries.callbacks.page(asked, 50, at)  # noqa: E731
            found.append(await timed(f"{name}; next", again, times))
    return found


async def measure(path: Path, until: datetime) -> tuple[list[Timed], list[Timed]]:
    database = Database.open(f"sqlite:///{path}")
    queries = Queries(Reader(database.reader))
    try:
        own = [await timed(name, question, TIMES) for name, question in (await pages(queries, until)).items()]
        any_of = await filtered(queries, until, 2) + await filtered_callbacks(queries, until, 2)
    finally:
        await database.close()
    return own, any_of


def show(console: Console, own: list[Timed], any_of: list[Timed]) -> bool:
    """Print the figures; whether all bounds are met."""
    table = Table("a page's own query", "median ms", "p95 ms", f"under {PAGE_MS}")
    for each in own:
        table.add_row(each.name, f"{each.median:.1f}", f"{each.p95:.1f}", _verdict(each.median < PAGE_MS))
    console.print(table)
    slowest = sorted(any_of, key=lambda each: each.p95, reverse=True)
    table = Table(f"the slowest of {len(any_of)} combinations", "most ms", f"under {ANY_MS}")
    for each in slowest[:10]:
        table.add_row(each.name, f"{each.p95:.1f}", _verdict(each.p95 < ANY_MS))
    console.print(table)
    console.print(f"the median combination: {statistics.median(each.median for each in any_of):.1f} ms")
    return all(each.median < PAGE_MS for each in own) and slowest[0].p95 < ANY_MS


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


@contextmanager
def folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="statekeeper-console-") as name:
            yield Path(name)
        return
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder for the store, to be used again")
    options = parser.parse_args()
    console, until = Console(), datetime.now(UTC)
    with folder(options.keep) as home:
        path = home / "store.db"
        if not is_store(path):
            path.unlink(missing_ok=True)
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("filling the store", total=options.sessions)
                fill(path, options.sessions, until, lambda done: progress.update(task, completed=done))
        met = show(console, *uvloop.run(measure(path, until)))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
