"""Quantiles by buckets."""

import pytest

from statekeeper.core.quantiles import quantile

BOUNDS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        (0.5, (), None),
        (0.5, (0, 0, 0, 0), None),
        (0.5, (10, 0, 0, 0), 0.5),
        (0.5, (0, 10, 0, 0), 1.5),
        (0.99, (50, 50, 0, 0), 1.98),
        (0.5, (0, 0, 4, 0), 3.0),
        (0.99, (1, 0, 0, 99), 4.0),
        (1.0, (1, 1, 1, 0), 4.0),
    ],
)
def test_they_lie_evenly_within_a_bucket_and_no_further_than_the_last_bound(share, counts, expected):
    assert quantile(share, BOUNDS, counts) == (None if expected is None else pytest.approx(expected))
