"""Numbers as people read them."""

import pytest

from statekeeper.explanation.numbers import spans


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
