"""What a person sees: tables and progress bars; and what a machine reads: JSON.

On a terminal there are frames and colours; elsewhere a table is plain text as wide as it needs, a row a line. What came
from outside is shown without its control characters, which could otherwise write anything on the operator's screen.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
import rich_click as click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_UNBOUNDED: Final = 10_000
_COLOURS: Final = {
    "completed": "green",
    "delivered": "green",
    "applied": "green",
    "dead": "red",
    "failed": "red",
    "gave_up": "red",
    "error": "red",
    "rejected": "red",
    "conflict": "red",
    "inferred": "yellow",
    "held": "yellow",
    "late": "yellow",
    "pending": "yellow",
}


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; a word of the contract has its colour."""
    console = _console()
    plain = not console.is_terminal
    names = tuple(columns)
    table = Table(box=None if plain else box.ROUNDED, pad_edge=not plain, show_header=any(names))
    for column in names:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console.print(Text(title, style="bold"), table, sep="\n")


def show_line(text: str, *, err: bool = False) -> None:
    _console(err=err).print(_plain(text), markup=False, soft_wrap=True)


def show_json(value: object) -> None:
    """Print a document, indented, exactly as the API encodes it."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def progress() -> Progress:
    """A progress bar on stderr, where somebody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _console(*, err: bool = False) -> Console:
    console = Console(highlight=False, stderr=err)
    if not console.is_terminal:
        console.width = _UNBOUNDED
    return console


def _cell(value: object) -> Text:
    text = _plain("" if value is None else str(value))
    return Text(text, style=_COLOURS.get(text, ""))


def _plain(text: str) -> str:
    """Without characters that a terminal obeys or that would break the line."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
