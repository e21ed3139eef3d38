"""The picture: what is lit in it, what a screen reader is told, and that nothing in it can become markup."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from statekeeper.core.statechart import Edge, Statechart
from statekeeper.explanation.case import Case, CaseStep
from statekeeper.explanation.drawing import draw, svg
from statekeeper.resources import default_chart
from tales import charts

NOW = datetime(2026, 1, 8, 8, 35, 37, tzinfo=UTC)
IDNOW = default_chart()
CREATED = Edge("pending", "session.created", "created")
COMPLETED = Edge("created", "session.completed", "completed")
SVG = "{http://www.w3.org/2000/svg}"
PLAIN = re.compile(r"[a-zA-Z0-9 #:()./_-]*")


def case(chart=IDNOW, *steps, state=None, number=7):
    last = steps[-1].target if steps else chart.initial
    return Case(UUID(int=number), chart, state or last, NOW, NOW, steps=steps)


def step(ordinal, edge, event_id="e"):
    cause = "event" if event_id else "inferred"
    return CaseStep(ordinal, edge.source, edge.target, edge.trigger, cause, NOW, event_id, 1 if event_id else None)


def read(picture):
    return ET.fromstring(picture)  # noqa: S314 -- our own, and it must be well-formed


def marked(picture, mark):
    """What is written in the groups and lines of a class, or next to them."""
    root = read(picture)
    return ["".join(each.itertext()) for each in root.iter() if mark in each.get("class", "").split()]


def test_the_path_taken_and_the_current_state_are_lit():
    picture = svg(draw(case(IDNOW, step(1, CREATED), step(2, COMPLETED))))
    assert marked(picture, "chart-state--current") == ["completed"]
    assert set(marked(picture, "chart-state--visited")) == {"pending", "created", "completed"}
    assert set(marked(picture, "chart-state--final")) == IDNOW.finals
    assert set(marked(picture, "chart-label--taken")) == {"session.created", "session.completed"}
    assert len(marked(picture, "chart-edge--taken")) == 3
    assert not marked(picture, "chart-edge--inferred")


def test_an_inferred_step_is_dashed_until_an_event_bears_it():
    inferred = case(IDNOW, step(1, CREATED, None), step(2, COMPLETED))
    assert len(marked(svg(draw(inferred)), "chart-edge--inferred")) == 1
    assert draw(inferred).inferred == {CREATED}
    confirmed = replace(inferred.steps[0], event_id="late", sequence=1)
    assert not draw(replace(inferred, steps=(confirmed, inferred.steps[1]))).inferred


def test_an_edge_taken_twice_is_dashed_only_if_no_event_bears_either():
    loop = Edge("pending", "session.created", "created")
    assert not draw(case(IDNOW, step(1, loop, None), step(2, loop))).inferred


def test_before_the_first_step_only_the_beginning_is_lit():
    picture = svg(draw(case()))
    assert marked(picture, "chart-state--current") == marked(picture, "chart-state--visited") == ["pending"]
    assert '<desc id="chart-00000000-0000-0000-0000-000000000007-desc">It has taken no step yet.</desc>' in picture


def test_who_cannot_see_it_is_told_the_state_and_the_path():
    root = read(svg(draw(case(IDNOW, step(1, CREATED, None), step(2, COMPLETED)))))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text == "Statechart: the session is completed."
    assert description.text == "It went through pending, created, completed. No event is known for session.created."


def test_it_speaks_the_language_of_its_page():
    german = {"Statechart: the session is {state}.": "Zustandsdiagramm: Die Sitzung ist {state}."}
    picture = svg(draw(case()), lambda text: german.get(text, text))
    assert "Zustandsdiagramm: Die Sitzung ist pending." in picture


def test_two_pictures_can_stand_in_one_page():
    one, other = (set(re.findall(r' id="([^"]+)"', svg(draw(case(number=number))))) for number in (1, 2))
    assert len(one) == len(other) == 5
    assert not one & other


def test_every_reference_leads_to_something_in_it():
    picture = svg(draw(case(IDNOW, step(1, CREATED, None), step(2, COMPLETED))))
    ids = set(re.findall(r' id="([^"]+)"', picture))
    assert set(re.findall(r"url\(#([^)]+)\)", picture)) <= ids


@given(charts())
def test_any_chart_is_well_formed_and_has_no_style_and_no_script_in_it(chart):
    root = read(svg(draw(case(chart))))
    for each in root.iter():
        assert each.tag.removeprefix(SVG) in {
            "svg",
            "title",
            "desc",
            "defs",
            "marker",
            "path",
            "circle",
            "rect",
            "text",
            "g",
        }
        assert not {name for name in each.attrib if name == "style" or name.startswith("on")}
        assert all(PLAIN.fullmatch(value) for value in each.attrib.values())


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onload="x', "'&quot;--><b>", "a{b}c"])
def test_a_name_that_would_be_markup_is_shown_as_text(hostile):
    states = {"s": {"on": {hostile: "e"}}, "e": {"type": "final"}}
    chart = Statechart.compile({"id": "any", "initial": "s", "states": states})
    picture = svg(draw(case(chart, step(1, Edge("s", hostile, "e"), None))))
    assert hostile[:23] in marked(picture, "chart-label")[0]
    assert hostile in read(picture).find(f"{SVG}desc").text
    assert "<script" not in picture
    assert "<b>" not in picture


def test_a_name_that_is_shortened_is_there_in_full_for_whoever_points_at_it():
    long = "session." + "x" * 60
    chart = Statechart.compile(
        {"id": "any", "initial": "s", "states": {"s": {"on": {long: "e"}}, "e": {"type": "final"}}}
    )
    assert f"{long[:23]}…<title>{long}</title>" in svg(draw(case(chart)))
