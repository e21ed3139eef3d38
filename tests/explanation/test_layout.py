"""Any legal chart has room for all of it, however it is told, and nothing stands on anything else."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given

from statekeeper.core.statechart import Statechart
from statekeeper.explanation.layout import BOX_HEIGHT, lay_out, shortened, width_of
from statekeeper.resources import default_chart
from tales import charts

IDNOW = default_chart()
NARROW = 320 - 2 * 16
HEIGHT_OF_LETTERS = 12


def box_of(layout, state):
    return next(box for box in layout.boxes if box.state == state)


def rectangle(box):
    return (box.x, box.y, box.right, box.y + BOX_HEIGHT)


def label_of(line):
    x, y = line.at
    return (x, y - HEIGHT_OF_LETTERS, line.end, y)


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def chain(length):
    states = {f"s{number}": {"on": {"go": f"s{number + 1}"}} for number in range(length)}
    return Statechart.compile({"id": "chain", "initial": "s0", "states": states | {f"s{length}": {"type": "final"}}})


@given(charts())
def test_every_state_and_every_edge_is_there_once(chart):
    layout = lay_out(chart)
    assert sorted(box.state for box in layout.boxes) == sorted(chart.states)
    assert sorted(line.edge for line in layout.lines) == sorted(chart.edges)


@given(charts())
def test_no_state_and_no_label_stands_on_another(chart):
    layout = lay_out(chart)
    pieces = [*map(rectangle, layout.boxes), *map(label_of, layout.lines)]
    assert not [pair for pair in combinations(pieces, 2) if overlap(*pair)]


@given(charts())
def test_all_of_it_is_within_the_picture(chart):
    layout = lay_out(chart)
    corners = [point for line in layout.lines for point in line.points]
    for x, y in [*corners, layout.entry, *((box.right, box.y + BOX_HEIGHT) for box in layout.boxes)]:
        assert 0 < x < layout.width
        assert 0 < y < layout.height
    assert all(line.end < layout.width for line in layout.lines)


@given(charts())
def test_every_edge_leaves_its_state_and_reaches_its_target_along_straight_lines(chart):
    layout = lay_out(chart)
    for line in layout.lines:
        source, target = box_of(layout, line.edge.source), box_of(layout, line.edge.target)
        assert line.points[0] == (source.trunk, source.y + BOX_HEIGHT)
        x, y = line.points[-1]
        assert target.x <= x <= target.right
        assert target.y <= y <= target.y + BOX_HEIGHT
        assert all(here[0] == there[0] or here[1] == there[1] for here, there in pairwise(line.points))


@given(charts())
def test_no_two_edges_end_in_one_point(chart):
    ends = [line.points[-1] for line in lay_out(chart).lines]
    assert len(set(ends)) == len(ends)


@given(charts())
def test_every_edge_that_goes_by_a_lane_has_its_own(chart):
    lanes = [line.points[-2][0] for line in lay_out(chart).lines if len(line.points) > 3]
    assert len(set(lanes)) == len(lanes)


@given(charts())
def test_a_state_that_is_farther_stands_lower_than_the_one_it_is_reached_from(chart):
    layout = lay_out(chart)
    for state in chart.states:
        path = chart.shortest(chart.initial, lambda here, state=state: here == state)
        if path:
            assert box_of(layout, state).y > box_of(layout, chart.initial).y


def test_the_chart_of_the_provider_fits_a_narrow_screen():
    assert lay_out(IDNOW).width <= NARROW


def test_states_that_begin_at_one_place_stand_in_one_column():
    layout = lay_out(IDNOW)
    assert len({box_of(layout, state).x for state in IDNOW.finals}) == 1
    assert box_of(layout, "pending").x == box_of(layout, "created").x


def test_a_long_chart_grows_downwards_only():
    short, long = lay_out(chain(3)), lay_out(chain(3000))
    assert len(long.boxes) == 3001
    assert long.width - short.width < 100


@pytest.mark.parametrize(
    ("text", "shown"), [("session.created", "session.created"), ("a" * 24, "a" * 24), ("a" * 25, "a" * 23 + "…")]
)
def test_what_is_very_long_is_shortened(text, shown):
    assert shortened(text) == shown


def test_wide_letters_have_the_room_of_two():
    assert width_of("完了", 7) == width_of("done", 7)
