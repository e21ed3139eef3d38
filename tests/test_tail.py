"""The feed's end: a page that waits, pages without end, and one read for all who ask the same."""

import asyncio
from contextlib import aclosing, suppress
from uuid import uuid4

import pytest

import databases
from statekeeper import tail as tails
from statekeeper.core.arrivals import Arrival, SigningKey
from statekeeper.core.errors import Unavailable
from statekeeper.core.events import SessionEvent
from statekeeper.resources import default_chart
from statekeeper.store.charts import Charts
from statekeeper.store.feed_pages import DEFAULT_ITEMS, FeedFilter
from statekeeper.store.journal import Journal
from statekeeper.store.queries import Queries
from statekeeper.tail import Tail
from statekeeper.watchers import FEED, Watchers

KEY = SigningKey("thumb", "key-1", "{}")
ALL, ENDS = FeedFilter(terminal=False), FeedFilter()
PATIENCE = 10


class Asked(Queries):
    """Queries that count the pages read, and are away as often as they are told to be."""

    pages = 0
    outages = 0

    async def feed(self, *question):
        page = await super().feed(*question)
        self.pages += 1
        return page

    async def feed_head(self):
        if self.outages:
            self.outages -= 1
            raise Unavailable("Away.", reason="test")
        return await super().feed_head()


class End:
    """A store with the tail of its feed. What is taken is told of, as behind a commit, unless another node has it."""

    def __init__(self, database) -> None:
        self.database = database
        self.queries = Asked(database.reader)
        self.watchers = Watchers()
        self.tail = Tail(self.queries, self.watchers)
        self.journal = Journal(Charts(default_chart()))

    async def take(self, *names: str, told: bool = True) -> None:
        session = uuid4()
        events = [SessionEvent(str(uuid4()), f"session.{name}", n, session) for n, name in enumerate(names, 1)]
        async with self.database.writer.begin() as connection:
            await connection.run_sync(lambda c: self.journal.charts.register(c, self.database.now(c)))
            arrivals = [Arrival(event, "token", KEY) for event in events]
            await connection.run_sync(lambda c: databases.write(self.journal, c, arrivals, self.database.now(c)))
        if told:
            self.watchers.notify([FEED])

    async def waiting(self, *question, readers: int = 1, seconds: float = 60) -> list[asyncio.Task]:
        """So many who have asked the same, and had no answer yet."""
        tasks = [asyncio.create_task(self.tail.page(*question, seconds)) for _ in range(readers)]
        while not self.queries.pages or self.tail._asked:  # noqa: ASYNC110 -- nobody says when somebody waits
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        return tasks


@pytest.fixture
def end(database) -> End:
    return End(database)


async def answer(task: asyncio.Task):
    return await asyncio.wait_for(task, PATIENCE)


async def test_a_page_that_is_not_empty_does_not_wait(end):
    await end.take("created", "completed")
    page = await asyncio.wait_for(end.tail.page(0, ENDS, 10, 60), PATIENCE)
    assert [item.position for item in page.items] == ["2"]


async def test_a_wait_is_answered_when_a_step_is_committed(end):
    (task,) = await end.waiting(0, ENDS, 10)
    await end.take("created", "completed")
    page = await answer(task)
    assert ([item.position for item in page.items], page.next_cursor) == (["2"], "2")
    assert not end.watchers.watched(FEED)


async def test_a_wait_goes_on_past_what_is_not_wanted(end):
    (task,) = await end.waiting(0, ENDS, 10)
    await end.take("created")
    read = end.queries.pages
    while end.queries.pages == read:  # noqa: ASYNC110 -- the reader tells nobody that it has looked
        await asyncio.sleep(0)
    assert not task.done()
    await end.take("created", "aborted")
    page = await answer(task)
    assert ([item.position for item in page.items], page.next_cursor) == (["3"], "3")


async def test_a_wait_that_is_over_is_an_empty_page_with_a_cursor(end):
    await end.take("created")
    page = await asyncio.wait_for(end.tail.page(0, ENDS, 10, 0.01), PATIENCE)
    assert (page.items, page.next_cursor) == ([], "1")
    assert not end.watchers.watched(FEED)


async def test_all_waits_are_answered_at_the_end_and_later_ones_at_once(end):
    waits = await end.waiting(0, ENDS, 10, readers=3)
    end.watchers.close()
    assert [(await answer(task)).items for task in waits] == [[], [], []]
    assert (await asyncio.wait_for(end.tail.page(0, ENDS, 10, 60), PATIENCE)).next_cursor == "0"


async def test_those_who_ask_the_same_are_given_one_answer(end):
    waits = await end.waiting(0, ENDS, 10, readers=50)
    await end.take("created", "completed")
    pages = [await answer(task) for task in waits]
    assert end.queries.pages == 2
    assert all(page is pages[0] for page in pages)
    assert not end.tail._asked


async def test_one_who_leaves_takes_the_answer_from_nobody(end):
    first, second = (asyncio.create_task(end.tail.page(0, ENDS, 10, 60)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await end.take("created", "completed")
    assert [item.position for item in (await answer(second)).items] == ["2"]
    with suppress(asyncio.CancelledError):
        await first
    assert first.cancelled()


async def test_pages_go_on_from_one_another_and_an_empty_one_is_a_heartbeat(end, monkeypatch):
    monkeypatch.setattr(tails, "GATHERING_SECONDS", 0)
    await end.take("created", "completed")
    async with aclosing(end.tail.pages(0, ALL, 0.01)) as pages:
        first = await anext(pages)
        beat = await anext(pages)
        await end.take("created")
        while not (third := await anext(pages)).items:
            pass
    assert [[item.position for item in page.items] for page in (first, beat, third)] == [["1", "2"], [], ["3"]]
    assert beat.next_cursor == "2"
    assert not end.watchers.watched(FEED)


async def test_many_items_come_page_by_page(end, monkeypatch):
    monkeypatch.setattr(tails, "GATHERING_SECONDS", 3600)
    for _ in range(DEFAULT_ITEMS // 2 + 1):
        await end.take("created", "completed")
    async with aclosing(end.tail.pages(0, ALL, 60)) as pages:
        lengths = [len((await asyncio.wait_for(anext(pages), PATIENCE)).items) for _ in range(2)]
    assert lengths == [DEFAULT_ITEMS, 2]


async def test_pages_end_with_the_service(end):
    pages = end.tail.pages(0, ALL, 60)
    waiting = asyncio.create_task(anext(pages))
    await asyncio.sleep(0)
    end.watchers.close()
    assert (await answer(waiting)).items == []
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(pages), PATIENCE)


async def test_what_another_node_commits_is_found_even_after_the_store_was_away(end, monkeypatch):
    monkeypatch.setattr(tails, "REREAD_SECONDS", 0.01)
    (task,) = await end.waiting(0, ENDS, 10)
    end.queries.outages = 2
    looking = asyncio.create_task(end.tail.run())
    await end.take("created", "completed", told=False)
    assert [item.position for item in (await answer(task)).items] == ["2"]
    assert end.queries.outages == 0
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking


async def test_a_read_that_fails_fails_for_those_who_asked(end):
    waits = [asyncio.create_task(end.tail.page(1, ENDS, 10, 60)) for _ in range(2)]
    answers = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), PATIENCE)
    assert [type(each).__name__ for each in answers] == ["QueryRefused"] * 2
    assert not end.watchers.watched(FEED)
