"""A live part of a page, as the frames it sends."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from statekeeper.console import live
from statekeeper.console.live import frame, frames
from statekeeper.watchers import FEED, Watchers

PATIENCE = 10
OFTEN = 20


class Part:
    """A part of a page that shows whatever it is told to; `looks` counts how often it was made."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.looks = 0
        self.looked_often = asyncio.Event()

    async def __call__(self) -> str:
        self.looks += 1
        if self.looks == OFTEN:
            self.looked_often.set()
        return self.html


@pytest.fixture
def eager(monkeypatch):
    """Time goes a thousand times as fast."""
    for name in ("LOOK_SECONDS", "GATHERING_SECONDS", "FEED_SECONDS"):
        monkeypatch.setattr(live, name, getattr(live, name) / 1000)


async def taken(stream) -> bytes:
    return await asyncio.wait_for(anext(stream), PATIENCE)


async def test_it_is_sent_at_once_and_again_behind_a_change(monkeypatch):
    monkeypatch.setattr(live, "LOOK_SECONDS", PATIENCE * 2)
    watchers, part = Watchers(), Part("one")
    async with aclosing(frames(watchers, part, "topic")) as stream:
        assert await taken(stream) == frame("one")
        part.html = "two"
        watchers.notify(["topic"])
        assert await taken(stream) == frame("two")


async def test_a_change_that_wakes_nobody_here_is_found_by_looking(eager):
    watchers, part = Watchers(), Part("one")
    async with aclosing(frames(watchers, part, "topic")) as stream:
        await taken(stream)
        part.html = "two"
        assert await taken(stream) == frame("two")


async def test_what_is_as_it_was_is_not_sent_again(eager):
    watchers, part = Watchers(), Part("one")
    async with aclosing(frames(watchers, part, "topic")) as stream:
        await taken(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.wait_for(part.looked_often.wait(), PATIENCE)
        assert not waiting.done()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def test_whoever_is_told_nothing_new_hears_a_heartbeat(eager, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.01)
    async with aclosing(frames(Watchers(), Part("one"), "topic")) as stream:
        await taken(stream)
        assert await taken(stream) == b":\n\n"


@pytest.mark.parametrize(("topic", "slower"), [("topic", "GATHERING_SECONDS"), (FEED, "FEED_SECONDS")])
async def test_a_storm_of_changes_is_gathered_and_that_of_the_feed_for_longer(eager, monkeypatch, topic, slower):
    monkeypatch.setattr(live, slower, PATIENCE * 2)
    watchers, part = Watchers(), Part("one")
    async with aclosing(frames(watchers, part, topic)) as stream:
        await taken(stream)
        watchers.notify([topic])
        waiting = asyncio.ensure_future(anext(stream))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(part.looked_often.wait(), 0.1)
        assert part.looks < OFTEN
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def test_it_ends_and_watches_no_more_when_the_service_stops():
    watchers = Watchers()
    stream = frames(watchers, Part("one"), "topic")
    await taken(stream)
    watchers.close()
    with pytest.raises(StopAsyncIteration):
        await taken(stream)
    assert not watchers.watched


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_no_line_end_in_the_html_ends_the_message(end):
    lines = frame(f"<p>{end}{end}event: forged</p>").decode().splitlines()
    assert lines == ["retry: 1000", "data: <p>", "data: ", "data: event: forged</p>", ""]


async def test_a_part_that_is_being_made_when_its_looker_leaves_is_made_to_its_end():
    """It may be in the middle of asking the store: a driver that is interrupted loses its connection."""
    begun, go_on, made = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def part() -> str:
        begun.set()
        await go_on.wait()
        made.set()
        return "made"

    async with aclosing(frames(Watchers(), part, "topic")) as stream:
        looking = asyncio.ensure_future(anext(stream))
        await begun.wait()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    go_on.set()
    await asyncio.wait_for(made.wait(), PATIENCE)
