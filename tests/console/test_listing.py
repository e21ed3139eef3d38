"""The page of the sessions, as a browser without a script has it, and as a script asks for parts of it."""

import asyncio
import re
from html import unescape
from itertools import pairwise
from types import SimpleNamespace
from uuid import UUID

import pytest

import forge
from outboxes import callback
from statekeeper.console import listing
from statekeeper.store.statements import insert
from statekeeper.store.tables import CallbackRow, table
from visits import Person

PAGE = "/console/sessions"
AS_SCRIPT = {"hx-request": "true"}
HOSTILE = "<script>alert(1)</script>\"'>"
_ROW = re.compile(r'class="row-link id" href="/console/sessions/([^"]+)"')
_MORE = re.compile(r'<a class="button" href="([^"]+)" hx-get')
_STREAM = re.compile(r'hx-sse:connect="([^"]+)"')
_WEBHOOK = {"content-type": "application/jwt"}


def key(number: int) -> UUID:
    return UUID(int=number)


def ids(answer) -> list[UUID]:
    return [UUID(found) for found in _ROW.findall(answer.text)]


def onward(answer) -> str:
    found = _MORE.search(answer.text)
    return unescape(found[1]) if found else ""


@pytest.fixture
async def service(serving):
    async with serving() as service:
        yield service


@pytest.fixture
async def local(service):
    async with Person(service, "https://localhost") as person:
        yield person


@pytest.fixture
def come(local, clock):
    """`await come(number, "completed")`: a session has come, a second after the one before, and what else it says."""

    async def come(number: int, end: str | None = None, **bent) -> UUID:
        clock.advance(1)
        story = [{**each, **bent} for each in forge.story(number, end or "completed", session_id=key(number))]
        for data in story if end else story[:1]:
            answer = await local.post("/webhooks/idnow", content=forge.token(data), headers=_WEBHOOK)
            assert answer.status_code == 200, answer.text
        return key(number)

    return come


async def test_the_newest_comes_first(local, come):
    first, second = await come(1, "completed"), await come(2)
    answer = await local.get(PAGE)
    assert (answer.status_code, ids(answer)) == (200, [second, first])
    assert 'class="state state--completed">completed<' in answer.text


async def test_a_store_without_sessions_says_where_they_come_from(local):
    answer = await local.get(PAGE)
    assert (answer.status_code, ids(answer)) == (200, [])
    assert "/webhooks/idnow" in answer.text


async def test_a_pasted_url_leads_straight_to_the_session(local, come):
    session = await come(7)
    answer = await local.get(PAGE, params={"q": f"https://crm.example/case?id={str(session).upper()}&tab=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/{session}")


async def test_a_part_of_an_id_finds_it(local, come):
    session, _ = await come(0xABCD1234), await come(2)
    answer = await local.get(PAGE, params={"q": "abcd12"})
    assert ids(answer) == [session]
    assert 'Ids with <b class="id">abcd12</b>' in answer.text


async def test_a_page_says_that_it_has_taken_a_part_for_a_beginning(local, come):
    begins, _ = await come(0xABCD1234 << 96), await come(0xABCD1234)
    answer = await local.get(PAGE, params={"q": "abcd1234"})
    assert ids(answer) == [begins]
    assert 'Ids that begin with <b class="id">abcd1234</b>' in answer.text


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        (f"q={key(9)}", "Compare the id"),
        ("q=deadbeef", "No id has this part"),
        ("q=0001&state=error", "No session with such an id fits the other filters"),
        ("q=00000000&gap=true&after=", "No session with such an id fits the other filters"),
        ("state=error", "take a filter away"),
        ("cursor=", None),
    ],
)
async def test_where_nothing_fits_it_is_said_what_to_do(local, come, query, hint):
    await come(1, "completed")
    answer = await local.get(f"{PAGE}?{query}")
    assert answer.status_code == 200
    assert (hint in answer.text) if hint else ids(answer)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=aborted", [3]),
        ("state=aborted&state=completed", [3, 1]),
        ("environment=live", [2]),
        (f"flow={forge.event('x', 1, key(1))['payload']['flowId']}", [3, 2, 1]),
        ("flow=another", []),
        ("since=2026-01-08T08:35:39", [3, 2]),
        ("until=2026-01-08T08:35:39", [1]),
        ("environment=live&state=aborted", []),
    ],
)
async def test_each_filter_lists_what_fits_it(local, come, query, found):
    await come(1, "completed")
    await come(2, environment="live")
    await come(3, "aborted")
    assert ids(await local.get(f"{PAGE}?{query}")) == [key(number) for number in found]


async def test_a_gap_is_listed_with_what_it_waits_for(local, come, clock):
    await come(1, "completed")
    waiting = forge.event("session.completed", 2, key(2))
    await local.post("/webhooks/idnow", content=forge.token(waiting), headers=_WEBHOOK)
    answer = await local.get(f"{PAGE}?gap=true")
    assert ids(answer) == [key(2)]
    assert "waits for 1" in answer.text


async def test_a_gap_that_was_closed_is_listed_as_one(service, local, come, clock):
    await come(1, "completed")
    await local.post("/webhooks/idnow", content=forge.token(forge.story(2, session_id=key(2))[1]), headers=_WEBHOOK)
    for _ in range(5):
        clock.advance(9)
        await service.engine.close_gaps()
    answer = await local.get(f"{PAGE}?gap=true")
    assert ids(answer) == [key(2)]
    assert 'class="tag tag--wait">gap<' in answer.text


async def test_bad_filters_are_told_of_on_a_page_that_keeps_the_good_ones(local, come):
    await come(1)
    answer = await local.get(f"{PAGE}?since=soon&state=created&state=bygone&environment=live")
    assert (answer.status_code, ids(answer)) == (400, [])
    assert "There is no such state." in answer.text
    assert "<option selected>live</option>" in answer.text


@pytest.mark.parametrize("query", ["stat=error", "cursor=made-up", "q=a&q=b", "flow=%ff"])
async def test_an_address_that_is_not_right_is_a_page_of_its_own(local, query):
    answer = await local.get(f"{PAGE}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "That address is not right" in answer.text


async def test_a_walk_repeats_and_leaves_out_nothing_while_sessions_come(local, come, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    before = [await come(number) for number in range(1, 9)]
    answer = await local.get(f"{PAGE}?environment=staging")
    seen, number = ids(answer), 100
    while address := onward(answer):
        await come(number := number + 1)
        answer = await local.get(address)
        seen += ids(answer)
    assert seen == before[::-1]


async def test_a_script_is_given_the_rows_alone(local, come, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 1)
    await come(1)
    await come(2)
    whole = await local.get(PAGE)
    part = await local.get(onward(whole), headers=AS_SCRIPT)
    assert (ids(part), part.text.lstrip()[:4]) == ([key(1)], "<tr ")
    assert part.headers["vary"] == whole.headers["vary"] == "HX-Request"


async def test_a_script_that_filters_is_given_the_results_and_their_address(local, come):
    await come(1, "completed")
    part = await local.get(f"{PAGE}?state=completed&environment=&flow=", headers=AS_SCRIPT)
    assert part.text.startswith('<section id="results"')
    assert part.headers["hx-push-url"] == f"{PAGE}?state=completed"


async def test_what_a_stranger_wrote_is_shown_as_text(local, come):
    await come(1, environment=HOSTILE)
    for query in ({}, {"q": "abcd" + HOSTILE}, {"environment": HOSTILE}, {"flow": HOSTILE}):
        text = (await local.get(PAGE, params=query)).text
        assert "<script>alert" not in text
        assert not query or "&lt;script&gt;alert" in text


async def test_a_dead_callback_is_remarked_on(service, local, come, clock):
    await come(1, "completed")
    await come(2, "completed")
    async with service.database.writer.begin() as connection:
        await connection.run_sync(insert, table(CallbackRow), [callback(1, clock(), status="dead")])
    answer = await local.get(f"{PAGE}?dead=true")
    assert ids(answer) == [key(1)]
    assert ">1 dead callback<" in answer.text


async def test_a_contradiction_is_remarked_on(local, come):
    await come(1, "completed")
    await come(2, "completed")
    other_end = forge.event("session.aborted", 2, key(1), event_id=key(99))
    await local.post("/webhooks/idnow", content=forge.token(other_end), headers=_WEBHOOK)
    answer = await local.get(f"{PAGE}?contradicted=true")
    assert ids(answer) == [key(1)]
    assert 'class="tag tag--bad">contradicted<' in answer.text


class Impatient:
    """An app as it is asked by somebody who leaves once they have been told something."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send):
        told = asyncio.Event()

        async def leave():
            await told.wait()
            return {"type": "http.disconnect"}

        async def tell(message):
            if not told.is_set():
                await send(message)
            if message.get("body"):
                told.set()

        await self.app(scope, leave, tell)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def news(service):
    """`await news(answer)`: what the stream of a page says first."""

    async def news(answer) -> str:
        address = unescape(_STREAM.search(answer.text)[1])
        async with Person(SimpleNamespace(app=Impatient(service.app)), "https://localhost") as person:
            return (await person.get(address, headers={"accept": "text/event-stream"})).text

    return news


async def test_new_sessions_are_told_of_and_not_those_that_are_shown(local, come, news):
    await come(1)
    shown = await local.get(PAGE)
    assert ">live<" in await news(shown)
    await come(2)
    assert "1 new session: show it" in await news(shown)
    await come(3)
    assert "2 new sessions: show them" in await news(shown)


async def test_new_sessions_that_do_not_fit_are_no_news(local, come, news):
    shown = await local.get(f"{PAGE}?environment=live")
    await come(1)
    assert ">live<" in await news(shown)
    await come(2, environment="live")
    assert f'href="{PAGE}?environment=live"' in await news(shown)


async def test_more_new_sessions_than_anybody_counts_are_told_of_as_such(local, come, news, monkeypatch):
    monkeypatch.setattr(listing, "MOST_NEW", 2)
    await come(1)
    shown = await local.get(PAGE)
    for number in range(2, 7):
        await come(number)
    assert "More than 2 new sessions" in await news(shown)


async def test_a_page_further_back_has_no_news(local, come, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 1)
    for newer, older in pairwise((3, 2, 1)):
        await come(older), await come(newer)
    answer = await local.get(onward(await local.get(PAGE)))
    assert not _STREAM.search(answer.text)
    assert "Back to the newest" in answer.text


async def test_a_stream_behind_no_place_of_ours_is_refused_before_it_begins(local):
    assert (await local.get(f"{PAGE}/live?after=garbage")).status_code == 400
