"""A chart's own stories, and the ways in which a network tells them.

A story is a walk through the chart from the initial state to a final one, its events numbered from 1. There is the
shortest walk through each edge, and the shortest of those that take no edge twice; each is told plain, and with an
event at every place whose name the chart does not know.

A story of up to `SMALL` events is told in every order, in each of them with every event repeated at every place, and
with every part lost. Of a longer one each event is moved to the front, behind its neighbour or to the end, or repeated
at the end, and only neighbours are lost together. An unknown event between two losses hides how many steps lie between
them, so that of stories with one only those of fewer than `SMALL` events lose every part. Nothing is drawn by chance.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice, permutations
from typing import Final
from uuid import UUID

from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.statechart import Edge, Statechart

SMALL: Final = 5
LONGEST_WALK: Final = 6
MOST_WALKS: Final = 24
_SESSION: Final = UUID(int=0)

Events = tuple[SessionEvent, ...]
Walk = tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What the sender sent: its events in order, and the edge that each of them takes (None: the chart ignores it)."""

    events: Events
    edges: tuple[Edge | None, ...]

    @property
    def moves(self) -> tuple[tuple[SessionEvent, Edge], ...]:
        """The events that the chart knows, with their edges."""
        return tuple((event, edge) for event, edge in zip(self.events, self.edges, strict=True) if edge)


def stories(chart: Statechart) -> Iterator[Story]:
    """The chart's own stories; those that go one way through the chart follow one another."""
    unknown = "unknown"
    while unknown in chart.triggers:
        unknown += "!"
    for walk in _walks(chart):
        told = [(edge.trigger, edge) for edge in walk]
        yield _story(told)
        yield from (_story([*told[:place], (unknown, None), *told[place:]]) for place in range(len(told) + 1))


def _story(told: Iterable[tuple[str, Edge | None]]) -> Story:
    names, edges = zip(*told, strict=True)
    return Story(tuple(_event(number, name) for number, name in enumerate(names, 1)), edges)


def _event(number: int, name: str) -> SessionEvent:
    last_step = LastStep(str(number), None, None)
    return SessionEvent(str(number), name, number, _SESSION, "flow", "environment", last_step=last_step)


def _walks(chart: Statechart) -> Iterator[Walk]:
    through = (_through(chart, edge) for edge in chart.edges)
    others = chain.from_iterable(_extend(chart, (), length) for length in range(1, LONGEST_WALK + 1))
    yield from dict.fromkeys(chain(through, islice(others, MOST_WALKS)))


def _through(chart: Statechart, edge: Edge) -> Walk:
    return (*_onward(chart, chart.initial, {edge.source}), edge, *_onward(chart, edge.target, chart.finals))


def _onward(chart: Statechart, state: str, goals: Iterable[str]) -> Walk:
    """In a valid chart every state can be reached, and an end from every state."""
    return chart.shortest(state, lambda here: here in goals) or ()


def _extend(chart: Statechart, walk: Walk, left: int) -> Iterator[Walk]:
    """Every walk that begins with `walk`, has `left` edges more, takes none twice, and ends the session."""
    here = walk[-1].target if walk else chart.initial
    if left == 0:
        yield walk
    for edge in chart.edges:
        if edge.source == here and edge not in walk and len(_onward(chart, edge.target, chart.finals)) < left:
            yield from _extend(chart, (*walk, edge), left - 1)


def orders(events: Events) -> Iterable[Events]:
    """The right order first."""
    if len(events) <= SMALL:
        return permutations(events)
    return dict.fromkeys(chain([events, events[::-1]], _displacements(events)))


def _displacements(events: Events) -> Iterator[Events]:
    for place, event in enumerate(events):
        before, behind = events[:place], events[place + 1 :]
        yield (event, *before, *behind)
        yield (*before, *behind[:1], event, *behind[1:])
        yield (*before, *behind, event)


def repetitions(order: Events) -> Iterator[Events]:
    """One event of the order comes again, as a redelivery with an id of its own."""
    for place, event in enumerate(order):
        first = place + 1 if len(order) <= SMALL else len(order)
        for again in range(first, len(order) + 1):
            yield (*order[:again], replace(event, deliver_id="again"), *order[again:])


def losses(story: Story) -> Iterator[Events]:
    """What arrives of the story, at least one event; of a small one in every order."""
    events, n = story.events, len(story.events)
    if n < SMALL or (n == SMALL and None not in story.edges):
        left: Iterable[Events] = chain.from_iterable(combinations(events, size) for size in range(1, n))
    else:
        blocks = (events[:first] + events[last:] for first in range(n) for last in range(first + 1, n + 1))
        left = (block for block in blocks if block)
    return chain.from_iterable(map(permutations, left)) if n <= SMALL else iter(left)
