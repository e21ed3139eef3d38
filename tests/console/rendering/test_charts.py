"""Charts as numbers: where each bar and each point is."""

import pytest

from statekeeper.console.rendering.charts import HEIGHT, WIDTH, Bar, draw_lines, stack


def test_parts_are_stacked_from_the_bottom_in_the_order_of_their_kinds():
    chart = stack([{"held": 1, "applied": 3}, {}, {"applied": 2}], ("applied", "held"))
    assert chart.top == 4
    assert chart.bars == (
        Bar(20, 30, 160, 90, "applied"),
        Bar(20, 0, 160, 30, "held"),
        Bar(420, 60, 160, 60, "applied"),
    )


def test_bars_fill_the_box_and_never_leave_it():
    chart = stack([{"a": number, "b": 7 * number} for number in range(60)], ("a", "b"))
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in chart.bars)
    assert min(bar.y for bar in chart.bars) == pytest.approx(0)
    assert max(bar.y + bar.height for bar in chart.bars) == HEIGHT


def test_kinds_that_were_not_asked_for_count_for_nothing():
    assert stack([{"a": 1, "b": 9}], ("a",)).top == 1


def test_without_numbers_there_are_no_bars_and_no_lines():
    assert stack([], ("a",)).bars == stack([{}, {"a": 0}], ("a",)).bars == ()
    assert draw_lines({"p50": [None, None], "p99": []}).pieces == ()


def test_a_line_is_interrupted_where_there_is_no_value():
    chart = draw_lines({"p50": [0.1, 0.2, None, 0.4, 0.0, None]})
    assert chart.top == 0.4
    assert chart.pieces == (("p50", "50.0,90.0 150.0,60.0"), ("p50", "350.0,0.0 450.0,120.0"))


def test_a_value_that_stands_alone_can_be_seen():
    assert draw_lines({"p50": [None, 1.0, None]}).pieces == (("p50", "300.0,0.0 400.0,0.0"),)
    assert draw_lines({"p50": [1.0, None, 1.0]}).pieces == (
        ("p50", "100.0,0.0 200.0,0.0"),
        ("p50", "500.0,0.0 600.0,0.0"),
    )


def test_lines_share_one_scale_and_nothing_is_at_the_bottom():
    chart = draw_lines({"p50": [1.0, 1.0], "p99": [4.0, 2.0], "none": [0.0, 0.0]})
    assert [piece.split()[0] for _, piece in chart.pieces] == ["150.0,90.0", "150.0,0.0", "150.0,120.0"]
    assert draw_lines({"p50": [0.0, 0.0]}).pieces == (("p50", "150.0,120.0 450.0,120.0"),)
