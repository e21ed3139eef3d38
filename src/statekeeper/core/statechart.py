"""A statechart as data: validated, compiled once for the process, asked and never told.

A chart is written in XState's words (`id`, `initial`, `states`, `on`, `type: final`) and holds data only: nothing in it
is imported, evaluated or called. `Statechart.compile` refuses a chart whose targets do not exist, whose states cannot
be reached or cannot end, or whose finals have exits. It builds one `transitions.Machine` without a model (the machine
would keep every model for ever) and derives from it the table that answers `target(state, trigger)`.

The version of a chart is a hash over its canonical JSON: a comment or an order of keys changes nothing. So nothing that
a chart answers may depend on the order of its document, or a session would go another way after a restart.
"""

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from transitions import Machine
from transitions.extensions import GraphMachine
from transitions.extensions.diagrams_mermaid import Graph

from statekeeper.core.errors import Fault, StatechartError
from statekeeper.core.events import MAX_TEXT, storable

_KEYS: Final = {"": {"id", "initial", "states", "description"}, "state": {"on", "type", "description"}}
_STATE: Final = re.compile(rf"[\w.-]{{1,{MAX_TEXT}}}", re.ASCII)
_TEXT: Final = f"must be a text of 1 to {MAX_TEXT} characters, without NUL or unpaired surrogates"


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One legal transition of the chart."""

    source: str
    trigger: str
    target: str


@dataclass(frozen=True)
class Statechart:
    """A valid chart. `version` is the first 16 hexadecimal digits of the SHA-256 of `canonical`."""

    id: str
    initial: str
    states: tuple[str, ...]
    finals: frozenset[str]
    edges: tuple[Edge, ...]
    canonical: str
    _table: Mapping[tuple[str, str], str] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, document: object) -> "Statechart":
        """Compile a chart from its document (a mapping, as YAML or JSON gives it); raises `StatechartError`."""
        if faults := tuple(_shape_faults(document)):
            raise StatechartError(faults)
        assert isinstance(document, Mapping)  # noqa: S101 -- _shape_faults has seen to it
        machine = _machine(document)
        edges = tuple(sorted(_edges(machine)))
        chart = cls(
            id=document["id"],
            initial=document["initial"],
            states=tuple(machine.states),
            finals=frozenset(name for name, state in machine.states.items() if state.final),
            edges=edges,
            canonical=json.dumps(document, sort_keys=True, separators=(",", ":")),
            _table={(edge.source, edge.trigger): edge.target for edge in edges},
        )
        if faults := tuple(_life_faults(chart)):
            raise StatechartError(faults)
        return chart

    @cached_property
    def version(self) -> str:
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]

    @cached_property
    def triggers(self) -> frozenset[str]:
        return frozenset(edge.trigger for edge in self.edges)

    def target(self, state: str, trigger: str) -> str | None:
        """The state that `trigger` leads to from `state`, or None where the chart has no such transition."""
        return self._table.get((state, trigger))

    def is_final(self, state: str) -> bool:
        return state in self.finals

    def path(self, state: str, trigger: str) -> tuple[Edge, ...] | None:
        """The shortest legal path from `state` to one where `trigger` is legal; empty if it is legal there already."""
        return self.shortest(state, lambda here: self.target(here, trigger) is not None)

    def shortest(self, state: str, arrived: Callable[[str], bool]) -> tuple[Edge, ...] | None:
        """The shortest legal path from `state` to one that `arrived` accepts; None if there is none.

        Among paths of one length it is the first in the order of triggers and targets.
        """
        paths: deque[tuple[Edge, ...]] = deque([()])
        seen = {state}
        while paths:
            path = paths.popleft()
            here = path[-1].target if path else state
            if arrived(here):
                return path
            for edge in self.edges:
                if edge.source == here and edge.target not in seen:
                    seen.add(edge.target)
                    paths.append((*path, edge))
        return None

    def diagram(self) -> str:
        """The chart as Mermaid's `stateDiagram-v2`, drawn by transitions from the compiled machine."""
        machine = _machine(json.loads(self.canonical), GraphMachine, graph_engine="mermaid")
        source: str = Graph(machine).get_graph().source
        return _plain(source, self.finals)


def _plain(source: str, finals: frozenset[str]) -> str:
    """Without the front matter and the style classes, which GitHub draws badly; with an end behind each final state."""
    body = source.split("---\n", 2)[-1]
    lines = [
        line for line in body.splitlines() if line.strip() and not line.lstrip().startswith(("classDef", "Class "))
    ]
    ends = [f"  {state} --> [*]" for state in sorted(finals)]
    return "\n".join([*lines, *ends]) + "\n"


def _machine(document: Mapping[str, Any], kind: Any = Machine, **options: str) -> Any:  # noqa: ANN401 -- see below
    """One machine, no model, no callbacks: it is asked for its table and never triggered.

    Its type is Any, since transitions has none for a machine without a model.
    """
    states = [
        {"name": name, "final": (state or {}).get("type") == "final"} for name, state in document["states"].items()
    ]
    moves = [
        {"trigger": trigger, "source": name, "dest": _target(move)}
        for name, state in document["states"].items()
        for trigger, move in ((state or {}).get("on") or {}).items()
    ]
    return kind(
        model=None,
        model_attribute="",  # else no trigger could be called `state`
        states=states,
        transitions=moves,
        initial=document["initial"],
        auto_transitions=False,
        **options,
    )


def _edges(machine: Any) -> Iterator[Edge]:  # noqa: ANN401 -- see _machine
    for trigger, event in machine.events.items():
        for moves in event.transitions.values():
            yield from (Edge(move.source, trigger, move.dest) for move in moves)


def _target(move: object) -> object:
    """The target of a transition, in XState's short form (a text) or its long one (`{target: …}`)."""
    return move.get("target") if isinstance(move, Mapping) and set(move) <= {"target", "description"} else move


def _shape_faults(document: object) -> Iterator[Fault]:
    """What keeps the document from being compiled at all."""
    if not isinstance(document, Mapping):
        yield Fault("chart", "must be a mapping with the keys id, initial and states")
        return
    yield from (Fault(str(key), "is not a key of a chart") for key in document if key not in _KEYS[""])
    yield from (Fault(key, _TEXT) for key in ("id", "initial") if not storable(document.get(key)))
    yield from _description_faults("", document)
    states = document.get("states")
    if not isinstance(states, Mapping) or not states:
        yield Fault("states", "must be a mapping with at least one state")
        return
    if isinstance(document.get("initial"), str) and document["initial"] not in states:
        yield Fault("initial", f"names no state; there are {_list(states)}")
    for name, state in states.items():
        yield from _state_faults(name, state, states)


def _state_faults(name: object, state: object, states: Mapping[Any, Any]) -> Iterator[Fault]:
    where = f"states.{name}"
    if not isinstance(name, str) or not _STATE.fullmatch(name):
        yield Fault(where, f"a state's name must be of 1 to {MAX_TEXT} letters, digits, `_`, `.` or `-`")
    if state is None:
        return
    if not isinstance(state, Mapping):
        yield Fault(where, "must be a mapping with `on` or `type: final`")
        return
    yield from (Fault(f"{where}.{key}", "is not a key of a state") for key in state if key not in _KEYS["state"])
    yield from _description_faults(f"{where}.", state)
    if state.get("type", "final") != "final":
        yield Fault(f"{where}.type", "can only be `final`")
    moves = state.get("on")
    if moves is not None and not isinstance(moves, Mapping):
        yield Fault(f"{where}.on", "must map triggers to states")
        return
    if moves and state.get("type") == "final":
        yield Fault(f"{where}.on", "a final state has no exits")
    yield from _move_faults(where, moves or {}, states)


def _move_faults(where: str, moves: Mapping[Any, Any], states: Mapping[Any, Any]) -> Iterator[Fault]:
    for trigger, move in moves.items():
        target = _target(move)
        if not storable(trigger):
            yield Fault(f"{where}.on", f"a trigger {_TEXT}")
        if not isinstance(target, str) or target not in states:
            yield Fault(f"{where}.on.{trigger}", f"leads to no state; there are {_list(states)}")
        if isinstance(move, Mapping):
            yield from _description_faults(f"{where}.on.{trigger}.", move)


def _description_faults(where: str, described: Mapping[Any, Any]) -> Iterator[Fault]:
    """YAML reads a date as a date, which has no place in JSON."""
    if not isinstance(described.get("description", ""), str):
        yield Fault(f"{where}description", "must be a text")


def _life_faults(chart: Statechart) -> Iterator[Fault]:
    """What makes a chart that compiles a trap for sessions: states that nothing reaches or that never end."""
    if chart.initial in chart.finals:
        yield Fault("initial", "a session cannot begin at its end")
    forward = _reach({chart.initial}, [(edge.source, edge.target) for edge in chart.edges])
    backward = _reach(set(chart.finals), [(edge.target, edge.source) for edge in chart.edges])
    yield from (Fault(f"states.{state}", "cannot be reached") for state in chart.states if state not in forward)
    yield from (Fault(f"states.{state}", "can never end") for state in chart.states if state not in backward)


def _reach(seen: set[str], arrows: list[tuple[str, str]]) -> set[str]:
    while more := {head for tail, head in arrows if tail in seen} - seen:
        seen |= more
    return seen


def _list(states: Mapping[Any, Any]) -> str:
    return ", ".join(map(str, states))
