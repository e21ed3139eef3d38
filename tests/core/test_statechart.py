import json
from copy import deepcopy
from itertools import permutations

import pytest
from hypothesis import given

from statekeeper.core.errors import StatechartError
from statekeeper.core.statechart import Edge, Statechart
from statekeeper.resources import default_chart
from tales import charts

DOOR = {
    "id": "door",
    "initial": "open",
    "states": {
        "open": {"on": {"shut": "closed", "burn": "ashes"}},
        "closed": {"on": {"open": "open", "lock": {"target": "locked", "description": "with a key"}, "burn": "ashes"}},
        "locked": {"on": {"unlock": "closed", "seal": "sealed"}},
        "ashes": {"type": "final", "description": "nothing is left"},
        "sealed": {"type": "final"},
    },
}
TEXT = "must be a text of 1 to 255 characters, without NUL or unpaired surrogates"
NAME = "a state's name must be of 1 to 255 letters, digits, `_`, `.` or `-`"
STATES = "there are open, closed, locked, ashes, sealed"


@pytest.fixture
def door():
    return Statechart.compile(DOOR)


def bent(bend):
    document = deepcopy(DOOR)
    bend(document)
    return document


def faults_of(document):
    with pytest.raises(StatechartError) as caught:
        Statechart.compile(document)
    return [str(fault) for fault in caught.value.faults]


def test_a_chart_answers_where_a_trigger_leads(door):
    assert door.target("open", "shut") == "closed"
    assert door.target("closed", "lock") == "locked"
    assert door.target("open", "lock") is None
    assert door.target("open", "unheard-of") is None
    assert door.target("nowhere", "shut") is None


def test_a_chart_knows_its_states_its_ends_and_its_triggers(door):
    assert (door.id, door.initial) == ("door", "open")
    assert door.states == ("open", "closed", "locked", "ashes", "sealed")
    assert door.finals == {"ashes", "sealed"}
    assert door.is_final("ashes")
    assert not door.is_final("locked")
    assert door.triggers == {"shut", "burn", "open", "lock", "unlock", "seal"}


def test_every_edge_of_the_document_is_an_edge_of_the_chart_and_no_other(door):
    moves = {
        Edge(state, trigger, move if isinstance(move, str) else move["target"])
        for state, node in DOOR["states"].items()
        for trigger, move in node.get("on", {}).items()
    }
    assert set(door.edges) == moves
    assert len(door.edges) == len(moves)


def test_a_path_is_the_shortest_way_to_where_the_trigger_is_legal(door):
    assert door.path("open", "shut") == ()
    assert door.path("open", "lock") == (Edge("open", "shut", "closed"),)
    assert door.path("open", "seal") == (Edge("open", "shut", "closed"), Edge("closed", "lock", "locked"))
    assert door.path("locked", "shut") == (Edge("locked", "unlock", "closed"), Edge("closed", "open", "open"))


def test_there_is_no_path_to_a_trigger_that_is_unknown_or_lies_behind(door):
    assert door.path("open", "unheard-of") is None
    assert door.path("ashes", "shut") is None


def test_the_shortest_way_to_any_state_can_be_asked_for(door):
    assert door.shortest("open", door.is_final) == (Edge("open", "burn", "ashes"),)
    assert door.shortest("sealed", door.is_final) == ()
    assert door.shortest("open", lambda state: state == "nowhere") is None


def test_a_chart_answers_alike_whatever_the_order_of_its_document():
    """A session is pinned to its chart by the version; after a restart the chart is compiled from canonical text."""
    moves = {"here": "left", "away": "right", "back": "middle"}
    documents = [
        {
            "id": "fork",
            "initial": "start",
            "states": {
                "start": {"on": dict(order)},
                **{state: {"on": {"end": "done"}} for state in ("left", "right", "middle")},
                "done": {"type": "final"},
            },
        }
        for order in permutations(moves.items())
    ]
    compiled = [Statechart.compile(document) for document in documents]
    compiled += [Statechart.compile(json.loads(chart.canonical)) for chart in compiled]
    assert len({chart.version for chart in compiled}) == 1
    assert {chart.path("start", "end") for chart in compiled} == {(Edge("start", "away", "right"),)}
    assert len({chart.edges for chart in compiled}) == 1


@given(charts())
def test_any_chart_is_the_same_after_a_restart(chart):
    stored = Statechart.compile(json.loads(chart.canonical))
    assert (stored.version, stored.edges, stored.finals) == (chart.version, chart.edges, chart.finals)
    for state in chart.states:
        for trigger in chart.triggers:
            assert stored.path(state, trigger) == chart.path(state, trigger)
            assert stored.target(state, trigger) == chart.target(state, trigger)


def test_a_version_moves_with_the_chart_only(door):
    assert len(door.version) == 16
    int(door.version, 16)
    assert door.version == Statechart.compile(deepcopy(DOOR)).version
    assert door.version != Statechart.compile(bent(lambda chart: chart.update(id="gate"))).version


def test_a_state_without_exits_may_be_written_without_a_body_only_if_it_is_final():
    assert faults_of(bent(lambda chart: chart["states"].update(sealed=None))) == ["states.sealed: can never end"]


def test_the_attribute_names_of_the_machine_underneath_are_names_like_any_other():
    states = {
        "machine": {"on": {"state": "model", "trigger": "model", "to_model": "model"}},
        "model": {"type": "final"},
    }
    chart = Statechart.compile({"id": "names", "initial": "machine", "states": states})
    assert [edge.trigger for edge in chart.edges] == ["state", "to_model", "trigger"]
    assert chart.target("machine", "state") == "model"


@pytest.mark.parametrize("document", [None, [], "door", 7])
def test_a_chart_is_a_mapping(document):
    assert faults_of(document) == ["chart: must be a mapping with the keys id, initial and states"]


@pytest.mark.parametrize(
    ("bend", "fault"),
    [
        (lambda chart: chart.pop("id"), f"id: {TEXT}"),
        (lambda chart: chart.update(id=7), f"id: {TEXT}"),
        (lambda chart: chart.update(id="a\x00"), f"id: {TEXT}"),
        (lambda chart: chart.update(id=""), f"id: {TEXT}"),
        (lambda chart: chart.pop("initial"), f"initial: {TEXT}"),
        (lambda chart: chart.update(initial="ajar"), f"initial: names no state; {STATES}"),
        (lambda chart: chart.update(initial=["open"]), f"initial: {TEXT}"),
        (lambda chart: chart.update(context={}), "context: is not a key of a chart"),
        (lambda chart: chart.update(description=["a door"]), "description: must be a text"),
        (lambda chart: chart.pop("states"), "states: must be a mapping with at least one state"),
        (lambda chart: chart.update(states=[]), "states: must be a mapping with at least one state"),
        (lambda chart: chart.update(states={}), "states: must be a mapping with at least one state"),
        (lambda chart: chart["states"].update({7: {"type": "final"}}), f"states.7: {NAME}"),
        (lambda chart: chart["states"].update({"": {"type": "final"}}), f"states.: {NAME}"),
        (lambda chart: chart["states"].update({"*": {"type": "final"}}), f"states.*: {NAME}"),
        (lambda chart: chart["states"].update({"=": {"type": "final"}}), f"states.=: {NAME}"),
        (lambda chart: chart["states"].update({"x" * 256: None}), f"states.{'x' * 256}: {NAME}"),
        (
            lambda chart: chart["states"].update(open="closed"),
            "states.open: must be a mapping with `on` or `type: final`",
        ),
        (lambda chart: chart["states"]["open"].update(entry="log"), "states.open.entry: is not a key of a state"),
        (lambda chart: chart["states"]["open"].update({True: {}}), "states.open.True: is not a key of a state"),
        (lambda chart: chart["states"]["open"].update(type="parallel"), "states.open.type: can only be `final`"),
        (lambda chart: chart["states"]["open"].update(type=None), "states.open.type: can only be `final`"),
        (lambda chart: chart["states"]["open"].update(description=7), "states.open.description: must be a text"),
        (lambda chart: chart["states"]["open"].update(on=["shut"]), "states.open.on: must map triggers to states"),
        (lambda chart: chart["states"]["open"].update(on=""), "states.open.on: must map triggers to states"),
        (
            lambda chart: chart["states"]["ashes"].update(on={"x": "open"}),
            "states.ashes.on: a final state has no exits",
        ),
        (lambda chart: chart["states"]["open"]["on"].update({7: "open"}), f"states.open.on: a trigger {TEXT}"),
        (lambda chart: chart["states"]["open"]["on"].update({"": "open"}), f"states.open.on: a trigger {TEXT}"),
        (
            lambda chart: chart["states"]["open"]["on"].update(shut="ajar"),
            f"states.open.on.shut: leads to no state; {STATES}",
        ),
        (
            lambda chart: chart["states"]["open"]["on"].update(shut=None),
            f"states.open.on.shut: leads to no state; {STATES}",
        ),
        (
            lambda chart: chart["states"]["open"]["on"].update(shut={"target": "closed", "cond": "x"}),
            f"states.open.on.shut: leads to no state; {STATES}",
        ),
        (
            lambda chart: chart["states"]["open"]["on"].update(shut={"target": "closed", "description": 7}),
            "states.open.on.shut.description: must be a text",
        ),
        (lambda chart: chart.update(initial="ashes"), "initial: a session cannot begin at its end"),
        (lambda chart: chart["states"].update(attic={"on": {"burn": "ashes"}}), "states.attic: cannot be reached"),
        (lambda chart: chart["states"].update(pit={"on": {"dig": "pit"}}), "states.pit: can never end"),
    ],
)
def test_a_chart_that_is_none_is_refused_with_its_fault(bend, fault):
    assert fault in faults_of(bent(bend))


def test_every_fault_is_named_at_once():
    document = {"id": "", "initial": "nowhere", "states": {"a": {"on": {"x": "b", "y": "c"}}, "b": 7}, "extra": 1}
    assert faults_of(document) == [
        "extra: is not a key of a chart",
        f"id: {TEXT}",
        "initial: names no state; there are a, b",
        "states.a.on.y: leads to no state; there are a, b",
        "states.b: must be a mapping with `on` or `type: final`",
    ]


def test_the_diagram_is_mermaid_and_shows_every_edge_the_beginning_and_the_ends(door):
    lines = [line.strip() for line in door.diagram().splitlines()]
    assert lines[:2] == ["stateDiagram-v2", "direction LR"]
    assert "[*] --> open" in lines
    assert [line for line in lines if line.endswith("--> [*]")] == ["ashes --> [*]", "sealed --> [*]"]
    for edge in door.edges:
        assert any(line.startswith(f"{edge.source} --> {edge.target}: ") and edge.trigger in line for line in lines)
    assert not [line for line in lines if line.startswith(("classDef", "Class", "---"))]


def test_the_diagram_is_the_same_for_the_same_chart(door):
    reordered = {**DOOR, "states": dict(reversed(DOOR["states"].items()))}
    assert Statechart.compile(reordered).diagram() == door.diagram()


def test_the_providers_chart_is_the_contracts():
    chart = default_chart()
    assert (chart.id, chart.initial) == ("idnow-session", "pending")
    assert chart.finals == {"completed", "expired", "aborted", "error"}
    ends = {Edge("created", f"session.{end}", end) for end in chart.finals}
    assert set(chart.edges) == ends | {Edge("pending", "session.created", "created")}
