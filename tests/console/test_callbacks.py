"""The page of callbacks: what is due, dead or delivered, by whom it is owed to, and how each endpoint fares."""

import re
from datetime import UTC, datetime
from html import unescape
from uuid import UUID

import pytest

import forge
from happenings import endpoint, happen, in_text, seen, settled, signed_in
from outboxes import callback
from receiver import Answer, Receiver
from statekeeper.console.callbacks import Wanted, read_wanted
from statekeeper.core.errors import QueryRefused
from statekeeper.store.tables import CallbackRow, table
from visits import Person

PAGE = "/console/callbacks"
HOSTILE = "<script>alert(1)</script>\"'>"
_ROW = re.compile(r'class="row-link id" href="/console/sessions/[^"#]+#callback-([^"]+)"')
_MORE = re.compile(r'<a class="button" href="([^"]+)" hx-get')


def listed(answer) -> list[str]:
    return _ROW.findall(answer.text)


async def keep(service, rows) -> None:
    async with service.database.writer.begin() as connection:
        await connection.execute(table(CallbackRow).insert(), rows)


async def test_an_empty_service_says_who_may_be_told(local):
    text = in_text((await local.get(PAGE)).text)
    assert "Nobody is told yet" in text
    assert "No callback has been made yet" in text


@pytest.mark.parametrize(
    ("status", "said"), [("dead", "No callback is dead"), ("due", "Nothing is due"), ("delivered", "No callback fits")]
)
async def test_each_tab_says_what_it_means_that_it_is_empty(local, status, said):
    assert said in await seen(local, f"{PAGE}?status={status}")


async def test_a_dead_callback_is_told_with_its_last_attempt_and_its_act(serving, tokens):
    async with Receiver(Answer(503)) as crm:
        wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (dead,) = await settled(person, session)
            answer = await person.get(f"{PAGE}?status=dead&subscriber=crm")
            assert listed(answer) == [dead["callbackId"]]
            assert f'href="{PAGE}/{dead["callbackId"]}/retry"' in answer.text
            assert "failed : HTTP 503 attempt 1" in in_text(answer.text).replace("gave up", "failed")
            assert listed(await person.get(f"{PAGE}?status=delivered")) == []
            assert listed(await person.get(f"{PAGE}?status=dead&subscriber=other")) == []
            assert listed(await person.get(f"{PAGE}?status=&subscriber=")) == [dead["callbackId"]]


async def test_a_delivered_callback_may_be_sent_again_and_a_reader_may_do_nothing(serving, tokens):
    async with Receiver() as crm, serving(tokens=tokens, endpoints=[endpoint(crm)]) as service:
        async with signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (done,) = await settled(person, session)
            assert f"{done['callbackId']}/resend" in (await person.get(PAGE)).text
        async with signed_in(service, "reader") as reader:
            answer = await reader.get(PAGE)
            assert listed(answer) == [done["callbackId"]]
            assert "/resend" not in answer.text
            assert "/console/endpoints/" not in answer.text


async def test_what_is_due_is_what_waits_and_whose_time_has_come(serving, clock):
    async with serving() as service, Person(service, "https://localhost") as person:
        later = callback(2, clock.now) | {"due_at": datetime(2999, 1, 1, tzinfo=UTC)}
        await keep(service, [callback(1, clock.now), later, callback(3, clock.now, status="dead")])
        assert listed(await person.get(f"{PAGE}?status=due")) == [str(UUID(int=1))]
        assert set(listed(await person.get(f"{PAGE}?status=pending"))) == {str(UUID(int=1)), str(UUID(int=2))}
        text = (await person.get(PAGE)).text
    assert '/console/callbacks?status=pending&amp;subscriber=crm"><b class="number">2</b>' in text
    assert '/console/callbacks?status=dead&amp;subscriber=crm"><b class="number">1</b>' in text


async def test_pages_are_appended_and_none_comes_twice(serving, clock):
    async with serving() as service, Person(service, "https://localhost") as person:
        rows = []
        for number in range(1, 121):
            clock.advance(1)
            rows.append(callback(number, clock.now, status="dead"))
        await keep(service, rows)
        found, where = [], f"{PAGE}?status=dead"
        while where:
            answer = await person.get(where, headers={"hx-request": "true"} if found else {})
            found += listed(answer)
            more = _MORE.search(answer.text)
            where = unescape(more[1]) if more else ""
    assert len(found) == len(set(found)) == 120


async def test_names_and_details_of_strangers_are_shown_as_text(serving, tokens):
    async with Receiver(Answer(500, body=HOSTILE.encode())) as crm:
        wanting = {"endpoints": [endpoint(crm, HOSTILE)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "admin") as person:
            session = await happen(person, *forge.story(1))
            await settled(person, session)
            text = (await person.get(PAGE)).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "subscriber=%3Cscript%3E" in text


async def test_a_subscriber_that_is_gone_keeps_what_it_was_owed(serving, clock):
    async with serving() as service, Person(service, "https://localhost") as person:
        await keep(service, [callback(1, clock.now, "old:fn", "dead")])
        text = await seen(person, PAGE)
    assert "old:fn not here any more" in text


async def test_a_status_that_there_is_none_of_is_refused(local):
    assert (await local.get(f"{PAGE}?status=lost")).status_code == 400
    with pytest.raises(QueryRefused):
        read_wanted(b"state=dead")


def test_an_address_keeps_what_is_wanted_and_begins_anew():
    wanted = Wanted("dead", "crm & co", "abc")
    assert wanted.address() == f"{PAGE}?status=dead&subscriber=crm+%26+co"
    assert wanted.address(status="") == f"{PAGE}?subscriber=crm+%26+co"
    assert Wanted().address() == PAGE
