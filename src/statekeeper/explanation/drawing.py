"""The statechart as a picture, with the path that a session took: a pure layout, and its SVG.

The SVG stands in a page under a strict policy: it has classes and no style, no script and no reference beyond itself,
and every text in it is escaped. Its colours are the page's (`chart.css`). Who cannot see it is read its title and its
description. Its ids bear the session's, so that many may stand in one page.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final
from uuid import UUID

from statekeeper.core.statechart import Edge
from statekeeper.explanation.case import Case
from statekeeper.explanation.layout import BOX_HEIGHT, ENTRY, Box, Layout, Line, Point, lay_out
from statekeeper.explanation.sentences import N_, Sentence, plain

_ROUND: Final = 8
_HEADS: Final = ("", "taken", "inferred")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart laid out, and what is lit in it: the states gone through, the edges taken, those of them inferred.

    An edge is `inferred` where no step over it bears an event, not even one that came late.
    """

    session_id: UUID
    layout: Layout
    finals: frozenset[str]
    current: str
    path: tuple[str, ...]
    taken: frozenset[Edge]
    inferred: frozenset[Edge]


def draw(case: Case) -> Drawing:
    """The chart of a session, with the path that it took."""
    steps = [(Edge(step.source, step.trigger, step.target), step.event_id) for step in case.steps]
    taken = frozenset(edge for edge, _ in steps)
    return Drawing(
        session_id=case.session_id,
        layout=lay_out(case.chart),
        finals=case.chart.finals,
        current=case.state,
        path=(case.chart.initial, *(edge.target for edge, _ in steps)),
        taken=taken,
        inferred=taken - {edge for edge, bearer in steps if bearer is not None},
    )


def svg(drawing: Drawing, translate: Callable[[str], str] = str) -> str:
    """The whole `<svg>` element, to stand in a page of HTML."""
    key, layout = f"chart-{drawing.session_id}", drawing.layout
    size = (
        f'viewBox="0 0 {_n(layout.width)} {_n(layout.height)}" width="{_n(layout.width)}" height="{_n(layout.height)}"'
    )
    names = f'aria-labelledby="{key}-title {key}-desc"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size} {names}>',
        f'<title id="{key}-title">{_say(_title(drawing), translate)}</title>',
        f'<desc id="{key}-desc">{_say(_description(drawing), translate)}</desc>',
        "<defs>",
        *(_marker(key, head) for head in _HEADS),
        "</defs>",
        *_entry(drawing, key),
        *(_line(drawing, line, key) for line in sorted(layout.lines, key=lambda line: _rank(drawing, line))),
        *(_label(drawing, line) for line in layout.lines),
        *(_box(drawing, box) for box in layout.boxes),
        "</svg>",
    ]
    return "\n".join(parts)


def _title(drawing: Drawing) -> Sentence:
    return Sentence(N_("Statechart: the session is {state}."), {"state": drawing.current})


def _description(drawing: Drawing) -> Sentence:
    if not drawing.taken:
        return Sentence(N_("It has taken no step yet."))
    if drawing.inferred:
        triggers = tuple(sorted({edge.trigger for edge in drawing.inferred}))
        text = N_("It went through {path}. No event is known for {inferred}.")
        return Sentence(text, {"path": drawing.path, "inferred": triggers})
    return Sentence(N_("It went through {path}."), {"path": drawing.path})


def _say(sentence: Sentence, translate: Callable[[str], str]) -> str:
    return escape(sentence.said(plain, translate))


def _marker(key: str, head: str) -> str:
    """An arrow's head; a marker does not take its colour from its line, so that there is one of each."""
    return (
        f'<marker id="{_head(key, head)}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path class="{_classes("chart-arrow", head)}" d="M0 0L8 4L0 8z"/>'
        "</marker>"
    )


def _head(key: str, head: str) -> str:
    return f"{key}-arrow-{head}" if head else f"{key}-arrow"


def _entry(drawing: Drawing, key: str) -> Iterator[str]:
    """The dot that a chart begins with, and its arrow: taken by every session."""
    x, y = drawing.layout.entry
    yield f'<circle class="chart-entry" cx="{_n(x)}" cy="{_n(y)}" r="4"/>'
    yield _arrow(key, ((x, y), (x, y + ENTRY)), ("taken",))


def _line(drawing: Drawing, line: Line, key: str) -> str:
    return _arrow(key, line.points, _how(drawing, line.edge))


def _arrow(key: str, points: tuple[Point, ...], how: tuple[str, ...]) -> str:
    head = _head(key, how[-1])
    return f'<path class="{_classes("chart-edge", *how)}" d="{_path(points)}" marker-end="url(#{head})"/>'


def _rank(drawing: Drawing, line: Line) -> tuple[bool, bool]:
    """What is drawn later covers what it shares a trunk with: the solid the dashed, and both what was not taken."""
    return (line.edge in drawing.taken, line.edge not in drawing.inferred)


def _how(drawing: Drawing, edge: Edge) -> tuple[str, ...]:
    if edge not in drawing.taken:
        return ("",)
    return ("taken", "inferred") if edge in drawing.inferred else ("taken",)


def _label(drawing: Drawing, line: Line) -> str:
    classes = _classes("chart-label", *_how(drawing, line.edge))
    return _text(classes, line.at, line.label, line.edge.trigger)


def _box(drawing: Drawing, box: Box) -> str:
    classes = _classes("chart-state", *_marks(drawing, box.state))
    frames = _frame("chart-frame", box, 0) + (_frame("chart-inner", box, 3) if box.state in drawing.finals else "")
    name = _text("chart-name", (box.x + box.width / 2, box.middle + 5), box.label, box.state)
    return f'<g class="{classes}">{frames}{name}</g>'


def _text(classes: str, at: Point, label: str, whole: str) -> str:
    """A label, with the whole text for whoever points at one that was shortened."""
    more = f"<title>{escape(whole)}</title>" if label != whole else ""
    return f'<text class="{classes}" x="{_n(at[0])}" y="{_n(at[1])}">{escape(label)}{more}</text>'


def _frame(name: str, box: Box, by: int) -> str:
    """A rectangle as large as the box, or smaller by so much on each side: a final state has two."""
    at = f'x="{_n(box.x + by)}" y="{_n(box.y + by)}"'
    return f'<rect class="{name}" {at} width="{_n(box.width - 2 * by)}" height="{BOX_HEIGHT - 2 * by}" rx="{8 - by}"/>'


def _marks(drawing: Drawing, state: str) -> Iterator[str]:
    if state in drawing.finals:
        yield "final"
    if state in drawing.path:
        yield "visited"
    if state == drawing.current:
        yield "current"


def _classes(name: str, *marks: str) -> str:
    return " ".join([name, *(f"{name}--{mark}" for mark in marks if mark)])


def _path(points: tuple[Point, ...]) -> str:
    """Straight lines with round corners."""
    middle = "".join(_corner(*three) for three in zip(points, points[1:], points[2:], strict=False))
    (x, y), (last_x, last_y) = points[0], points[-1]
    return f"M{_n(x)} {_n(y)}{middle}L{_n(last_x)} {_n(last_y)}"


def _corner(before: Point, here: Point, behind: Point) -> str:
    (from_x, from_y), (to_x, to_y) = _towards(here, before), _towards(here, behind)
    return f"L{_n(from_x)} {_n(from_y)}Q{_n(here[0])} {_n(here[1])} {_n(to_x)} {_n(to_y)}"


def _towards(here: Point, there: Point) -> Point:
    """The point at most a corner's radius away; half the way at most, where two corners share it."""
    across, down = there[0] - here[0], there[1] - here[1]
    length = abs(across) + abs(down)
    part = min(_ROUND, length / 2) / length if length else 0
    return (here[0] + across * part, here[1] + down * part)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
