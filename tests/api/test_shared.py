"""What many look at is made once a second."""

import asyncio

import pytest

from statekeeper.api.shared import Shared
from statekeeper.core.errors import Unavailable


class Maker:
    """Makes a text once it may, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.made = 0
        self.may = asyncio.Event()

    async def __call__(self) -> str:
        self.made += 1
        await self.may.wait()
        return f"the {self.made}."


@pytest.fixture
def time():
    return [100.0]


@pytest.fixture
def shared(time):
    return Shared(lambda: time[0])


async def test_a_hundred_who_look_at_the_same_time_have_it_made_once(shared):
    make = Maker()
    looks = [asyncio.ensure_future(shared.get("page", make)) for _ in range(100)]
    make.may.set()
    assert set(await asyncio.gather(*looks)) == {"the 1."}


async def test_it_is_made_again_once_a_second_is_over(shared, time):
    make = Maker()
    make.may.set()
    told = []
    for time[0] in (100.0, 100.9, 101.0, 101.5):
        told.append(await shared.get("page", make))
    assert told == ["the 1.", "the 1.", "the 2.", "the 2."]


async def test_what_is_forgotten_is_made_again_at_once_though_it_is_being_made(shared):
    make = Maker()
    first = asyncio.ensure_future(shared.get("page", make))
    await asyncio.sleep(0)
    shared.forget()
    make.may.set()
    assert await shared.get("page", make) == "the 2."
    await first


async def test_each_key_has_its_own(shared):
    make = Maker()
    make.may.set()
    assert [await shared.get(key, make) for key in ("de", "en")] == ["the 1.", "the 2."]


async def test_whoever_leaves_takes_it_from_nobody(shared):
    make = Maker()
    first, second = (asyncio.ensure_future(shared.get("page", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    make.may.set()
    assert await second == "the 1."


async def test_a_failure_is_told_to_all_and_not_for_longer_than_a_second(shared, time):
    async def fail() -> str:
        raise Unavailable("away", reason="store")

    for _ in range(2):
        with pytest.raises(Unavailable):
            await shared.get("page", fail)
    make = Maker()
    make.may.set()
    time[0] += 1
    assert await shared.get("page", make) == "the 1."
