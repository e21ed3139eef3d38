"""`statekeeper demo`: a day of sessions against a real service, and a verdict."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import rich_click as click
from rich.progress import Progress, TaskID

from statekeeper.cli.screen import progress, show_json, show_line, show_table
from statekeeper.cli.simulate import counts, show_faults
from statekeeper.demo import Report, run
from statekeeper.simulator.plots import tell


@click.command()
@click.option("--sessions", type=click.IntRange(1, 20_000), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed is the same day.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("statekeeper-demo"),
    show_default=True,
    help="The directory that its store is left in, to look at.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was measured as JSON.")
def demo(*, sessions: int, seed: int, keep: Path, as_json: bool) -> None:
    """Play a day of sessions to a service of its own, and check every one.

    It starts the service on SQLite in a temporary directory, lets the simulator play a day against it over HTTP (late,
    reordered, repeated, lost and forged webhooks included), has callbacks fire into Python functions and over HTTP, and
    holds every session, history and callback against the sender's stories. Nothing that it starts survives it. Its
    store is left in a directory, and the console shows it.

    Exit 0 only if all that must be true is, else 1; 130 after Ctrl-C or SIGTERM.
    """
    try:
        with progress() as bars:
            report = asyncio.run(_run(sessions, seed, Bars(bars), keep))
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
    if as_json:
        show_json(report.to_json())
    else:
        _tell(report)
    sys.exit(0 if report.well else 1)


async def _run(sessions: int, seed: int, bars: "Bars", keep: Path) -> Report:
    """SIGTERM ends it as Ctrl-C does: by an exception, so that everything is taken down."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 -- asyncio.run has made one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(tell(sessions, seed), bars, keep=keep)


class Bars:
    """A progress bar for each thing that is being done, in the order in which they begin."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what)
        self._bars.update(self._tasks[what], completed=done, total=total)


def _tell(report: Report) -> None:
    show_table("The sender", ("what", "how many"), counts(report.tally))
    show_table("The service", ("what", "how many"), _service(report))
    show_table("The subscribers", ("who", "due", "told"), _subscribers(report))
    show_faults(report.faults)
    if report.well:
        show_line(_WELL)
    show_line(f"{report.seconds:.1f} s")
    if report.config:
        show_line(_LOOK.format(config=report.config))


def _service(report: Report) -> Iterator[tuple[str, int]]:
    for state, count in sorted(report.states.items()):
        yield f"sessions {state}", count
    yield "histories examined", report.examined
    yield "steps inferred where an event was lost or too late", report.inferred
    yield "forgeries that counted", report.forged
    yield "callbacks refused once, and sent again", report.refused_once


def _subscribers(report: Report) -> Iterator[tuple[str, int, int]]:
    return ((name, count, report.told[name]) for name, count in sorted(report.due.items()))


_WELL: Final = """\
✓ Every session that was sent a terminal event is in the state of the sender's story.
✓ No forged event counted, and every history is a legal path.
✓ Every callback due has come, to the functions and over HTTP, and no other."""
_LOOK: Final = """
Look at it in the console, dead callbacks of an endpoint that was broken all day included:
  statekeeper serve --config {config}
  http://127.0.0.1:8000/console"""
