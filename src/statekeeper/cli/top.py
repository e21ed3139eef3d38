"""`statekeeper top`: the service at a glance, on a terminal and again and again; once, where nobody watches.

It reads the store, so that it shows what all nodes do together, and needs no service. What a minute brought is written
down every few seconds by each node, so that the last minute still grows.
"""

import asyncio
import signal
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import rich_click as click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import coloured, terminal
from statekeeper.cli.store import with_store
from statekeeper.core.instants import rfc3339
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.queries.overview import Overview, Overviews
from statekeeper.store.queries.reader import Reader

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_BAR: Final = 30


@click.command()
@store_flags
@click.option(
    "--interval", type=click.FloatRange(0.5, 3600), default=2, show_default=True, help="Seconds between two looks."
)
@click.option("--once", is_flag=True, help="Look once, and end; so it is where the output is no terminal.")
def top(*, interval: float, once: bool) -> None:
    """Show the service at a glance: sessions, the last hour, what waits. It ends with Ctrl-C.

    ```
    statekeeper top
    statekeeper top --once
    ```
    """
    with_store(lambda database: _look(database, interval, once=once))


async def _look(database: Database, interval: float, *, once: bool) -> None:
    await schema.check(database)
    overviews, screen = Overviews(Reader(database.reader)), terminal()
    if once or not screen.is_terminal:
        screen.print(draw(await overviews.read()))
        return
    told = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    with Live(console=screen, screen=True, auto_refresh=False) as live:
        while not told.is_set():
            live.update(draw(await overviews.read()), refresh=True)
            await _rest(told, interval)


async def _rest(told: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await told.wait()
    except TimeoutError:
        return


def draw(seen: Overview) -> RenderableType:
    """An overview as it is shown."""
    head = Text(f"Statekeeper at {rfc3339(seen.at)}", style="bold")
    return Group(head, _states(seen), Text(), _hour(seen), Text(), _waiting(seen), Text(), _subscribers(seen))


def _states(seen: Overview) -> Table:
    table = _table("sessions", "", "")
    most = max(seen.states.values(), default=1)
    for state, number in sorted(seen.states.items(), key=lambda each: -each[1]):
        table.add_row(coloured(state), f"{number:,}", "█" * max(1, round(_BAR * number / most)))
    return table


def _hour(seen: Overview) -> Table:
    """The last sixty minutes, the oldest first."""
    table = _table("events in the last hour", "", "a minute")
    totals: Counter[str] = Counter()
    for minute in seen.minutes:
        totals.update(minute.events)
    for disposition, number in totals.most_common():
        series = [minute.events.get(disposition, 0) for minute in seen.minutes]
        table.add_row(coloured(disposition), f"{number:,}", sparkline(series))
    for reason, number in sorted(seen.refusals.items()):
        series = [minute.refusals.get(reason, 0) for minute in seen.minutes]
        table.add_row(Text(f"refused: {reason}", style="red"), f"{number:,}", sparkline(series))
    return table


def _waiting(seen: Overview) -> Table:
    table = _table("what waits", "", "since")
    table.add_row("sessions with a gap", str(seen.held), _ago(seen.at, seen.held_since))
    table.add_row("the oldest callback that is due", "", _ago(seen.at, seen.oldest_due))
    table.add_row("answers of 200: half, and 99 in 100, within", "", f"{_seconds(seen.p50)}, {_seconds(seen.p99)}")
    return table


def _subscribers(seen: Overview) -> Table:
    table = _table("subscriber", "pending", "dead")
    for each in seen.owed:
        table.add_row(
            coloured(each.subscriber), f"{each.pending:,}", Text(f"{each.dead:,}", style="red" if each.dead else "")
        )
    return table


def _table(first: str, second: str, third: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, min_width=44)
    table.add_column(second, justify="right", min_width=10)
    table.add_column(third)
    return table


def sparkline(series: list[int]) -> str:
    """Numbers as blocks, the largest a full one; nothing is no block at all."""
    most = max(series, default=0)
    return "".join(_BLOCKS[(number * (len(_BLOCKS) - 1)) // most] if number else " " for number in series)


def _ago(now: datetime, since: datetime | None) -> str:
    return "" if since is None else str(timedelta(seconds=max(0, round((now - since).total_seconds()))))


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"
