"""Quantiles of what was counted by buckets, as Prometheus' `histogram_quantile` estimates them."""

from collections.abc import Sequence
from itertools import accumulate


def quantile(share: float, bounds: Sequence[float], counts: Sequence[int]) -> float | None:
    """The value that so large a share of the counted stay under; None where nothing was counted.

    `bounds` are the buckets' upper ends, and `counts` has one more, for what is beyond them all: of that no more is
    known than the last bound. Within a bucket the counted are taken to lie evenly.
    """
    rank = share * sum(counts)
    for number, upto in enumerate(accumulate(counts)):
        if counts[number] and upto >= rank:
            if number >= len(bounds):
                return bounds[-1]
            lower = bounds[number - 1] if number else 0.0
            return lower + (bounds[number] - lower) * (rank - upto + counts[number]) / counts[number]
    return None
