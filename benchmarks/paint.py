"""`python -m benchmarks.paint STORE`: when a real browser shows the first of each page, on a store such as
`python -m benchmarks.console --keep` leaves.

Each page is opened several times, each time by a browser that has nothing of it in its cache; what counts is the First
Contentful Paint that the browser itself reports (W3C, Paint Timing), from the navigation on. Bound: 1,000 ms at the
median. Exit 1 if a page misses it.
"""

import argparse
import asyncio
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from uuid import UUID

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.load import HOST
from benchmarks.servers import STATEKEEPER, running
from benchmarks.traffic import open_issuer

BOUND_MS: Final = 1000
TIMES: Final = 7
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_PAINTED: Final = """new Promise(painted => {
    const told = list => list.getEntriesByName("first-contentful-paint").forEach(each => painted(each.startTime));
    new PerformanceObserver(told).observe({ type: "paint", buffered: true });
})"""


def pages(store: Path) -> dict[str, str]:
    """The pages, by their names; the session is one with a dead callback."""
    with closing(sqlite3.connect(store)) as connection:
        found = connection.execute("SELECT session_id FROM callbacks WHERE status = 'dead' LIMIT 1").fetchone()
    return {
        "sessions": "/console/sessions",
        "sessions, filtered": "/console/sessions?state=error&gap=true",
        "a session": f"/console/sessions/{UUID(found[0])}",
        "callbacks": "/console/callbacks",
        "callbacks, dead": "/console/callbacks?status=dead",
        "overview": "/console/overview",
        "audit trail": "/console/audit",
    }


def painted(browser: Browser, address: str, path: str) -> Iterator[float]:
    """Milliseconds from the navigation to the first paint, each time in a browser that is new to it."""
    for _ in range(TIMES):
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.goto(path, wait_until="load")  # the paint may come later
        yield float(page.evaluate(_PAINTED))
        context.close()


def measure(store: Path) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="statekeeper-paint-") as name:
        keys = Path(name) / "keys.json"
        open_issuer(keys)
        of_the_store = {"STATEKEEPER_DATABASE_URL": f"sqlite:///{store.resolve()}"}
        with running(STATEKEEPER, keys, of_the_store) as server:
            asyncio.run(server.ready())
            return _painted_by_all(store, f"http://{HOST}:{server.port}")


def _painted_by_all(store: Path, address: str) -> dict[str, list[float]]:
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS) as browser,
    ):
        return {page: list(painted(browser, address, path)) for page, path in pages(store).items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paint", description=__doc__)
    parser.add_argument("store", type=Path, help="a SQLite store; it is not changed but for the service's own pulse")
    figures = measure(parser.parse_args().store)
    table = Table("first paint of", "median ms", "most ms", f"under {BOUND_MS}")
    for page, times in figures.items():
        median = statistics.median(times)
        table.add_row(page, f"{median:.0f}", f"{max(times):.0f}", "met" if median < BOUND_MS else "MISSED")
    Console().print(table)
    sys.exit(0 if all(statistics.median(times) < BOUND_MS for times in figures.values()) else 1)


if __name__ == "__main__":
    main()
