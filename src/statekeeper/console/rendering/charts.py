"""Small charts as numbers: bars and lines within a box, for a template to draw as SVG.

The box is `WIDTH` wide and `HEIGHT` high, its origin in the upper left corner. Pure: series in, places out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 600.0
HEIGHT: Final = 120.0
_SPACE: Final = 0.2
"""The share of a bar's room that stays free."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar; `kind` is what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars, the highest of which, `top` in number, fills the box."""

    bars: tuple[Bar, ...]
    top: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines by their kind, each in as many pieces as there is no value between; `top` is the value at the box's top.

    A piece is a list of points as `<polyline>` takes it.
    """

    pieces: tuple[tuple[str, str], ...]
    top: float


def stack(columns: Sequence[Mapping[str, int]], kinds: Sequence[str]) -> Bars:
    """A bar for each column, its parts one upon the other in the order of the kinds, the first at the bottom."""
    top = max((sum(column.get(kind, 0) for kind in kinds) for column in columns), default=0)
    bars: list[Bar] = []
    for number, column in enumerate(columns):
        bars += _stacked(column, kinds, number * WIDTH / len(columns), WIDTH / len(columns), top)
    return Bars(tuple(bars), top)


def _stacked(column: Mapping[str, int], kinds: Sequence[str], x: float, room: float, top: int) -> list[Bar]:
    floor, bars = HEIGHT, []
    for kind in kinds:
        if column.get(kind):
            height = HEIGHT * column[kind] / top
            floor -= height
            bars.append(Bar(x + room * _SPACE / 2, floor, room * (1 - _SPACE), height, kind))
    return bars


def draw_lines(series: Mapping[str, Sequence[float | None]]) -> Lines:
    """A line for each series; a value that stands alone is a short stroke, or it could not be seen."""
    top = max((value for values in series.values() for value in values if value is not None), default=0.0)
    pieces = [(kind, piece) for kind, values in series.items() for piece in _pieces(values, top)]
    return Lines(tuple(pieces), top)


def _pieces(values: Sequence[float | None], top: float) -> list[str]:
    room = WIDTH / max(len(values), 1)
    pieces: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        y = HEIGHT * (1 - value / top) if top else HEIGHT
        pieces[-1].append(_point((number + 0.5) * room, y))
        if _stands_alone(values, number):
            pieces[-1].append(_point((number + 1) * room, y))
    return [" ".join(piece) for piece in pieces if piece]


def _stands_alone(values: Sequence[float | None], number: int) -> bool:
    return all(each is None for each in (*values[max(number - 1, 0) : number], *values[number + 1 : number + 2]))


def _point(x: float, y: float) -> str:
    return f"{x:.1f},{y:.1f}"
