"""The feed's end: pages that wait, one read for all who ask the same, and pages without end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

import pytest

from feeds import ENDS
from statekeeper import tail as module
from statekeeper.core.errors import Unavailable
from statekeeper.store import feed_pages
from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.queries.feed import Feed
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import FeedPage
from statekeeper.tail import Tail
from statekeeper.watchers import FEED, Watchers
from stores import Store, arrival, number

SESSION = UUID(int=1)


class Counting(Feed):
    """A feed that counts how often it is read."""

    reads = 0

    async def page(self, *question) -> FeedPage:
        self.reads += 1
        return await super().page(*question)


class At:
    """A feed, and those who sit at its end."""

    def __init__(self, database, clock) -> None:
        self.store = Store(database, clock)
        self.feed = Counting(Reader(database.reader))
        self.watchers = Watchers()
        self.tail = Tail(self.feed, self.watchers)

    async def end(self, session: int) -> None:
        """As the service does it: commit, then tell."""
        await self.store.end(number(session))
        self.watchers.notify((FEED,))

    @property
    def watching(self) -> int:
        return len(self.watchers._watching.get(FEED, ()))

    async def waiting(self, number: int, after: int = 0) -> list[asyncio.Task]:
        tasks = [asyncio.create_task(self.tail.page(after, ENDS, 10, 60)) for _ in range(number)]
        before = self.feed.reads
        while self.feed.reads == before or self.tail._asked or self.watching < number:
            await self.feed.head()  # a turn of the store, for those that read
        return tasks


@pytest.fixture
async def at(database, clock) -> AsyncIterator[At]:
    """No read is under way any more when the store is closed."""
    at = At(database, clock)
    yield at
    await at.tail.close()


def positions(page: FeedPage) -> list[str]:
    return [item.position for item in page.items]


async def test_a_page_with_something_in_it_does_not_wait(at):
    await at.end(1)
    assert positions(await asyncio.wait_for(at.tail.page(0, ENDS, 10, 60), 5)) == ["2"]


async def test_a_page_that_would_be_empty_waits_for_the_first_item(at):
    (task,) = await at.waiting(1)
    await at.end(1)
    assert positions(await asyncio.wait_for(task, 5)) == ["2"]
    assert FEED not in at.watchers.watched


async def test_a_step_that_was_not_asked_for_ends_no_wait_and_moves_its_cursor(at):
    (task,) = await at.waiting(1)
    await at.store.take(arrival(1, "created", number(7)))
    at.watchers.notify((FEED,))
    await at.end(1)
    page = await asyncio.wait_for(task, 5)
    assert (positions(page), page.next_cursor) == (["3"], "3")
    assert (await at.tail.page(3, ENDS, 10, 0.001)).next_cursor == "3"


async def test_a_filter_that_nothing_fits_is_answered_behind_so_many_steps_and_without_a_wait(at, monkeypatch):
    monkeypatch.setattr(module, "MOST_PASSED_OVER", 3)
    monkeypatch.setattr(feed_pages, "STRETCH", 1)
    for session in (1, 2, 3, 4):
        await at.store.end(number(session), "error" if session == 4 else "completed")
    errors = FeedFilter(states=("error",))
    cursor, walked = 0, []
    while cursor < 8:
        page = await asyncio.wait_for(at.tail.page(cursor, errors, 10, 60), 5)
        cursor = int(page.next_cursor)
        walked.append((positions(page), cursor))
    assert walked == [([], 3), ([], 6), (["8"], 8)]
    assert positions(await at.feed.page(0, errors, 10)) == ["8"]


async def test_a_wait_that_is_over_answers_with_an_empty_page(at):
    page = await at.tail.page(0, ENDS, 10, 0.001)
    assert (page.items, page.next_cursor) == ([], "0")


async def test_many_who_wait_at_the_end_cost_one_read(at):
    tasks = await at.waiting(50)
    before = at.feed.reads
    await at.end(1)
    pages = await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert {tuple(positions(page)) for page in pages} == {("2",)}
    assert at.feed.reads - before <= 2


async def test_one_who_leaves_takes_no_answer_from_the_others(at):
    first, second = (asyncio.create_task(at.tail.page(0, ENDS, 10)) for _ in range(2))
    await at.end(1)
    third, fourth = (asyncio.create_task(at.tail.page(0, ENDS, 10)) for _ in range(2))
    await asyncio.sleep(0)
    third.cancel()
    assert positions(await fourth) == ["2"]
    await asyncio.gather(first, second)


async def test_who_asks_behind_a_commit_is_not_given_what_was_read_before_it(at, monkeypatch):
    begun, go_on = asyncio.Event(), asyncio.Event()
    read = at.feed.page

    async def slow(*question):
        page = await read(*question)
        begun.set()
        await go_on.wait()
        return page

    monkeypatch.setattr(at.feed, "page", slow)
    early = asyncio.create_task(at.tail.page(0, ENDS, 10))
    await begun.wait()
    await at.end(1)
    late = asyncio.create_task(at.tail.page(0, ENDS, 10))
    await asyncio.sleep(0)
    go_on.set()
    assert [positions(page) for page in await asyncio.gather(early, late)] == [[], ["2"]]


async def test_all_who_wait_are_answered_at_the_end_of_the_service(at):
    tasks = await at.waiting(3)
    at.watchers.close()
    pages = await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert [page.items for page in pages] == [[], [], []]
    assert (await asyncio.wait_for(at.tail.page(0, ENDS, 10, 60), 5)).items == []


async def test_a_store_that_is_away_is_told_to_everybody_who_asks(at, monkeypatch):
    async def away(*_question):
        raise Unavailable("The store does not answer, or is full.", reason="store")

    monkeypatch.setattr(at.feed, "page", away)
    answers = await asyncio.gather(*(at.tail.page(0, ENDS, 10, 60) for _ in range(2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]


async def test_pages_go_on_as_the_feed_does_with_heartbeats_in_between(at):
    async with aclosing(at.tail.pages(0, ENDS, 0.01)) as pages:
        assert (await anext(pages)).items == []
        await at.end(1)
        await at.end(2)
        assert positions(await anext(pages)) == ["2", "4"]
        heartbeat = await anext(pages)
        assert (heartbeat.items, heartbeat.next_cursor) == ([], "4")
        await at.end(3)
        assert positions(await anext(pages)) == ["6"]
        assert FEED not in at.watchers.watched


async def test_pages_get_to_an_item_behind_more_steps_than_one_request_passes_over(at, monkeypatch):
    monkeypatch.setattr(module, "MOST_PASSED_OVER", 3)
    monkeypatch.setattr(module, "GATHERING_SECONDS", 0)
    monkeypatch.setattr(feed_pages, "STRETCH", 1)
    for session in (1, 2, 3, 4):
        await at.store.end(number(session), "error" if session == 4 else "completed")
    async with aclosing(at.tail.pages(0, FeedFilter(states=("error",)), 60)) as pages:
        found = [await asyncio.wait_for(anext(pages), 5) for _ in range(3)]
    assert [(positions(page), page.next_cursor) for page in found] == [([], "3"), ([], "6"), (["8"], "8")]


async def test_a_full_page_is_followed_by_the_next_without_a_pause(at, monkeypatch):
    monkeypatch.setattr(module, "GATHERING_SECONDS", 3600)
    monkeypatch.setattr(module, "DEFAULT_ITEMS", 2)
    for session in (1, 2, 3):
        await at.end(session)
    async with aclosing(at.tail.pages(0, ENDS, 60)) as pages:
        assert [positions(await asyncio.wait_for(anext(pages), 5)) for _ in range(2)] == [["2", "4"], ["6"]]


async def test_the_steps_of_a_session_wait_for_the_next_and_are_told_of_no_other(at):
    await at.store.take(arrival(1, "created", SESSION))
    assert [item.ordinal for item in await at.tail.steps(SESSION, 0, 60)] == [1]
    task = asyncio.create_task(at.tail.steps(SESSION, 1, 60))
    await at.store.end(number(2))
    await at.store.take(arrival(2, "completed", SESSION))
    at.watchers.notify((SESSION,))
    assert [item.ordinal for item in await asyncio.wait_for(task, 5)] == [2]
    assert await at.tail.steps(SESSION, 2, 0.001) == []
    assert SESSION not in at.watchers.watched


async def test_the_steps_that_another_node_takes_are_found_by_looking_and_wake_nobody_else(at, monkeypatch):
    monkeypatch.setattr(module, "REREAD_SECONDS", 0.01)
    with at.watchers.subscribe(SESSION) as mine, at.watchers.subscribe(number(2)) as another:
        looking = asyncio.create_task(at.tail.run())
        assert await mine.wait(5)
        assert await another.wait(5)  # the first look wakes everybody
        await at.store.end(SESSION)
        assert await mine.wait(5)
        assert not await another.wait(0)
        looking.cancel()


async def test_who_waits_for_a_session_is_answered_when_the_service_ends(at):
    task = asyncio.create_task(at.tail.steps(SESSION, 0, 60))
    while SESSION not in at.watchers.watched:  # noqa: ASYNC110 -- nobody says when somebody has subscribed
        await asyncio.sleep(0)
    at.watchers.close()
    assert await asyncio.wait_for(task, 5) == []
    assert await asyncio.wait_for(at.tail.steps(SESSION, 0, 60), 5) == []


async def test_a_read_goes_on_when_its_reader_leaves_and_is_over_once_the_tail_is_closed(at, monkeypatch):
    under_way, go_on, read = asyncio.Event(), asyncio.Event(), at.feed.page

    async def slow(*question):
        under_way.set()
        await go_on.wait()
        return await read(*question)

    monkeypatch.setattr(at.feed, "page", slow)
    reader = asyncio.create_task(at.tail.page(0, ENDS, 10))
    await under_way.wait()
    reader.cancel()
    await asyncio.wait({reader})
    closing = asyncio.create_task(at.tail.close())
    await asyncio.sleep(0)
    assert (reader.cancelled(), closing.done(), at.feed.reads) == (True, False, 0)
    go_on.set()
    await asyncio.wait_for(closing, 5)
    assert at.feed.reads == 1


async def test_pages_end_with_the_service(at):
    pages = at.tail.pages(0, ENDS, 60)
    task = asyncio.create_task(anext(pages))
    while FEED not in at.watchers.watched:  # noqa: ASYNC110 -- nobody says when somebody has subscribed
        await asyncio.sleep(0)
    at.watchers.close()
    assert (await asyncio.wait_for(task, 5)).items == []
    assert [page async for page in pages] == []


async def test_what_another_node_commits_is_found_by_looking(at, monkeypatch):
    monkeypatch.setattr(module, "REREAD_SECONDS", 0.01)
    looking = asyncio.create_task(at.tail.run())
    (task,) = await at.waiting(1)
    await at.store.end(SESSION)
    assert positions(await asyncio.wait_for(task, 5)) == ["2"]
    looking.cancel()


async def test_looking_tells_of_a_single_step(at):
    with at.watchers.subscribe(FEED) as watcher:
        await at.tail._look()
        assert await watcher.wait(5)
        await at.tail._look()
        assert not await watcher.wait(0)
        await at.store.take(arrival(1, "created", SESSION))
        await at.tail._look()
        assert await watcher.wait(5)


async def test_looking_outlives_a_store_that_is_away(at, monkeypatch):
    failures = iter([Unavailable("The store does not answer, or is full.", reason="store")])

    async def head() -> int:
        for failure in failures:
            raise failure
        return 2

    monkeypatch.setattr(module, "REREAD_SECONDS", 0)
    monkeypatch.setattr(at.feed, "head", head)
    with at.watchers.subscribe(FEED) as watcher:
        looking = asyncio.create_task(at.tail.run())
        assert await watcher.wait(5)
        looking.cancel()
