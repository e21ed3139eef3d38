"""What a person sees: tables and progress bars; and what a machine reads: JSON.

On a terminal there are frames and colours, and what is too long is folded, ids excepted: whoever copies one needs it in
one piece. Elsewhere, and on a terminal where ids leave no room for the rest, a page of tables is plain text as wide as
it needs, a row a line. What came from outside is shown without its control characters, which could otherwise write
anything on the operator's screen.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import rich_click as click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from statekeeper.core.events import parse_uuid

_UNBOUNDED: Final = 1_000_000
_COLOURS: Final = {
    "completed": "green",
    "created": "blue",
    "expired": "yellow",
    "aborted": "yellow",
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


class Part(NamedTuple):
    """A table of a page: its title, its columns, its rows."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Iterable[object]]


class Coloured(NamedTuple):
    """A cell with a colour of its own, whatever it says."""

    text: str
    colour: str


def show_table(title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; a word of the contract has its colour."""
    show_page(Part(title, columns, rows))


def show_page(*parts: Part) -> None:
    """Print tables, all of them with frames or none."""
    console = terminal()
    cells = [[[*map(coloured, row)] for row in part.rows] for part in parts]
    tables = _tables(parts, cells, framed=console.width < _UNBOUNDED)
    if not all(_fits(table, console) for table in tables):
        console.width = _UNBOUNDED
        tables = _tables(parts, cells, framed=False)
    for part, table in zip(parts, tables, strict=True):
        console.print(Text(part.title, style="bold"), table, sep="\n")


def _tables(parts: Sequence[Part], cells: Sequence[list[list[Text]]], *, framed: bool) -> list[Table]:
    return [_table(part.columns, rows, framed=framed) for part, rows in zip(parts, cells, strict=True)]


def _table(names: Sequence[str], rows: list[list[Text]], *, framed: bool) -> Table:
    table = Table(box=box.ROUNDED if framed else None, pad_edge=framed, show_header=any(names))
    for name, cells in zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True):
        width = _width_of_ids(cells) if name else None
        table.add_column(name, overflow="fold", no_wrap=width is not None, min_width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _fits(table: Table, console: Console) -> bool:
    """Whether there is room for the ids and for every word beside them; without ids, anything can be folded."""
    if not any(column.no_wrap for column in table.columns):
        return True
    return Measurement.get(console, console.options.update_width(_UNBOUNDED), table).minimum <= console.width


def _width_of_ids(cells: Iterable[Text]) -> int | None:
    """How wide a column with ids in it must be; None for one that has none."""
    texts = [cell.plain for cell in cells]
    return max(map(cell_len, texts)) if any(map(parse_uuid, texts)) else None


def show_line(text: str, *, err: bool = False) -> None:
    terminal(err=err).print(_plain(text), markup=False, soft_wrap=True)


def show_words(*words: str) -> None:
    """Print one line, whatever stands in its words; a word of the contract has its colour."""
    in_one = (coloured(word.replace("\n", "\\n")) for word in words)
    terminal().print(Text("  ").join(in_one), soft_wrap=True)


def counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def show_json(value: object) -> None:
    """Print a document, indented, exactly as the API encodes it."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def show_json_line(value: object) -> None:
    """Print a document as one line, exactly as the API encodes it; whoever closes the pipe ends the program."""
    terminal().out(msgspec.json.encode(value).decode(), highlight=False)


def progress() -> Progress:
    """A progress bar on stderr, where somebody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def terminal(*, err: bool = False) -> Console:
    """Where a person looks; what is no terminal has room for any line."""
    console = Console(highlight=False, stderr=err)
    if not console.file.isatty():  # colours may be forced on a pipe, which makes no terminal of it
        console.width = _UNBOUNDED
    return console


def coloured(value: object) -> Text:
    """A value as it may be shown; a word of the contract has its colour."""
    if isinstance(value, Coloured):
        return Text(_plain(value.text), style=value.colour)
    text = _plain("" if value is None else str(value))
    return Text(text, style=_COLOURS.get(text.strip(), ""))


def _plain(text: str) -> str:
    """Without characters that a terminal obeys or that would break the line."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
