"""Numbers as people read them."""

import pytest

from statekeeper.explanation.numbers import read_spans, spans


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([], ()),
        ([4], ("4",)),
        ([1, 2], ("1", "2")),
        ([3, 1, 2], ("1-3",)),
        ([1, 3, 4, 5, 7, 8], ("1", "3-5", "7", "8")),
        (range(1, 9999), ("1-9998",)),
        (range(2, 26, 2), tuple(map(str, range(2, 26, 2)))),
        (range(2, 9999, 2), (*map(str, range(2, 26, 2)), "…")),
    ],
)
def test_a_run_of_numbers_is_told_by_its_ends(numbers, told):
    assert spans(numbers) == told


@pytest.mark.parametrize("numbers", [(), (4,), (1, 2), tuple(range(1, 9999))])
def test_the_numbers_of_a_gap_are_read_as_they_are_told(numbers):
    assert read_spans(", ".join(spans(numbers))) == numbers


def test_more_numbers_than_there_are_are_not_read():
    assert len(read_spans(",".join(["1-9999"] * 9000))) == 9999


@pytest.mark.parametrize("text", ["one", "²", "-", "1-", "9" * 5000, "1-99999", "…"])
def test_what_is_no_number_is_left_out(text):
    assert read_spans(text) == ()
