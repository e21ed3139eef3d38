"""Where everything of a statechart's drawing stands, for any chart and a narrow screen.

A chart is drawn like a tree of files: every state and every edge has a row of its own, so that no two labels can meet
and a chart of any size grows downwards. The tree is that of the shortest paths from the initial state. Under a state
its edges leave a trunk, each on its row: to a state that begins there, or, where it leads to one that stands elsewhere
(back, across, or a loop), to a lane on the right, and along it to that state's right side. The last state with edges of
its own stands straight below, which keeps a long chart narrow.

Lengths are the units of a view box, a pixel each where the drawing has room. How wide a text will be is estimated, on
the safe side, from its letters: nothing here knows a font.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from statekeeper.core.statechart import Edge, Statechart

Point = tuple[float, float]

MARGIN: Final = 8
BOX_HEIGHT: Final = 34
ROW: Final = 46
ENTRY: Final = 18
INDENT: Final = 20
GAP: Final = 10
LANE: Final = 14
_PADDING: Final = 14
_NAME: Final = 8.2
_LABEL: Final = 7.2
_ARROW: Final = 17
_LONGEST: Final = 24
_ASTRAY, _LEAF, _ONWARD = range(3)


@dataclass(frozen=True, slots=True)
class Box:
    """A state: its rectangle, from the left upper corner; `label` is its name, shortened if it is very long."""

    state: str
    label: str
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + BOX_HEIGHT / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def trunk(self) -> float:
        """Where its edges leave it downwards."""
        return self.x + INDENT


@dataclass(frozen=True, slots=True)
class Line:
    """An edge: the corners that it goes through, and where its label begins (on the line that letters stand on)."""

    edge: Edge
    label: str
    points: tuple[Point, ...]
    at: Point

    @property
    def end(self) -> float:
        """Where its label ends."""
        return self.at[0] + width_of(self.label, _LABEL)


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole chart; `entry` is where a session comes in, above the initial state."""

    width: float
    height: float
    entry: Point
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def lay_out(chart: Statechart) -> Layout:
    """Place all states and edges of a chart."""
    plan = _Plan(chart)
    plan.grow()
    boxes, lines = tuple(plan.boxes.values()), (*plan.lines, *plan.lanes())
    rights = [box.right for box in boxes]
    rights += [max(line.end, *(x for x, _ in line.points)) for line in lines]
    entry = (boxes[0].trunk, boxes[0].y - ENTRY)
    return Layout(max(rights) + MARGIN, plan.bottom + MARGIN, entry, boxes, lines)


def width_of(text: str, letter: float) -> float:
    """How wide a text may be; a letter of East Asia is as wide as two."""
    return letter * sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def shortened(text: str) -> str:
    """The text, or its beginning where it is too long for a drawing."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class _Branch(NamedTuple):
    """An edge that awaits its row; `end` is where that ends, None for the one that goes straight down."""

    box: Box
    edge: Edge
    end: float | None


@dataclass(slots=True)
class _Plan:
    """Grows row by row; `astray` has the edges that go by a lane, as far as the end of their rows."""

    chart: Statechart
    bottom: float = MARGIN + ENTRY
    boxes: dict[str, Box] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    astray: list[Line] = field(default_factory=list)
    tree: frozenset[Edge] = field(init=False)
    waiting: list[_Branch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tree = _tree(self.chart)

    def grow(self) -> None:
        """Place the initial state, and then edge by edge all that begins below it."""
        self._place(self.chart.initial, MARGIN)
        while self.waiting:
            box, edge, end = self.waiting.pop()
            if end is None:
                self._descend(box, edge)
            else:
                self._branch(box, edge, end)

    def _place(self, state: str, x: float) -> None:
        """Place a state at the next row; its edges are next, loops and lanes before what goes on."""
        label = shortened(state)
        box = Box(state, label, x, self.bottom, width_of(label, _NAME) + 2 * _PADDING)
        self.boxes[state] = box
        self.bottom += BOX_HEIGHT
        edges = sorted((edge for edge in self.chart.edges if edge.source == state), key=self._weight)
        below = edges.pop() if edges and self._weight(edges[-1]) == _ONWARD else None
        end = self._reach(box, [edge for edge in edges if edge in self.tree])
        branches = [_Branch(box, edge, end if edge in self.tree else self._reach(box, [edge])) for edge in edges]
        self.waiting += reversed([*branches, _Branch(box, below, None)] if below else branches)

    def _reach(self, box: Box, edges: Sequence[Edge]) -> float:
        """Where the rows of some edges end, so that what stands there stands in one column."""
        widest = max((width_of(shortened(edge.trigger), _LABEL) for edge in edges), default=0)
        return box.trunk + GAP + widest + _ARROW

    def _weight(self, edge: Edge) -> int:
        """What an edge brings with it: a line, a state, or a state that goes on."""
        if edge not in self.tree:
            return _ASTRAY
        return _ONWARD if any(other.source == edge.target for other in self.chart.edges) else _LEAF

    def _branch(self, box: Box, edge: Edge, end: float) -> None:
        """An edge on a row of its own: from the trunk to a state that begins there, or towards a lane."""
        self.bottom += ROW - BOX_HEIGHT
        y = self.bottom + BOX_HEIGHT / 2
        points = ((box.trunk, box.y + BOX_HEIGHT), (box.trunk, y), (end, y))
        line = Line(edge, shortened(edge.trigger), points, (box.trunk + GAP, y - 5))
        if edge in self.tree:
            self.lines.append(line)
            self._place(edge.target, end)
        else:
            self.astray.append(line)
            self.bottom += BOX_HEIGHT

    def _descend(self, box: Box, edge: Edge) -> None:
        """An edge straight down, its label beside it."""
        top, x = self.bottom, box.trunk
        self.bottom += ROW
        points = ((x, box.y + BOX_HEIGHT), (x, self.bottom))
        self.lines.append(Line(edge, shortened(edge.trigger), points, (x + GAP, top + ROW / 2 + 4)))
        self._place(edge.target, box.x)

    def lanes(self) -> list[Line]:
        """The edges that go by a lane, each by its own, the shortest innermost; heads to one state stand apart."""
        right = max([box.right for box in self.boxes.values()] + [line.points[-1][0] for line in self.astray])
        ordered = sorted(self.astray, key=lambda line: (abs(line.points[-1][1] - self._target(line).middle), line.edge))
        return [self._lane(line, right + LANE * number) for number, line in enumerate(ordered, 1)]

    def _lane(self, line: Line, x: float) -> Line:
        target = self._target(line)
        y = target.y + BOX_HEIGHT * self._share(line)
        points = (*line.points[:-1], (x, line.points[-1][1]), (x, y), (target.right, y))
        return replace(line, points=points)

    def _share(self, line: Line) -> float:
        """How far down the target's side a head stands: all that lead there have their own place."""
        others = [each.edge for each in self.astray if each.edge.target == line.edge.target]
        return (others.index(line.edge) + 1) / (len(others) + 1)

    def _target(self, line: Line) -> Box:
        return self.boxes[line.edge.target]


def _tree(chart: Statechart) -> frozenset[Edge]:
    """The first edge by which each state is reached, nearest first."""
    seen, waiting, tree = {chart.initial}, [chart.initial], set()
    while waiting:
        here = waiting.pop(0)
        for edge in chart.edges:
            if edge.source == here and edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
                tree.add(edge)
    return frozenset(tree)
