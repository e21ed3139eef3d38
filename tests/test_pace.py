"""The rest between two portions of long work."""

import time

import pytest

from statekeeper.pace import paced


class Rest:
    """Rests at once, and remembers how long each was to be."""

    def __init__(self):
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)


async def test_the_rest_is_as_long_as_the_portion():
    rest, began = Rest(), time.perf_counter()
    async with paced(rest):
        worked = time.perf_counter()
        while time.perf_counter() == worked:
            pass
    assert 0 < rest.seconds[0] < time.perf_counter() - began


async def test_a_portion_that_fails_is_not_rested_from():
    rest = Rest()
    with pytest.raises(ValueError, match="away"):
        async with paced(rest):
            raise ValueError("away")
    assert rest.seconds == []
