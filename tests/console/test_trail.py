"""The page of the audit trail: who did what, when, from where, why, and what it changed."""

import re
from html import unescape
from uuid import UUID

import pytest

import forge
from happenings import endpoint, happen, in_text, signed_in
from receiver import Receiver
from statekeeper.console.trail import ACTS, read_sought
from statekeeper.core.acts import Deed
from statekeeper.core.errors import QueryRefused
from statekeeper.trust.sealing import new_key

PAGE = "/console/audit"
HOSTILE = "<script>alert(1)</script>"
_ENTRY = re.compile(r'id="entry-(\d+)"')
_MORE = re.compile(r'<a class="button" href="([^"]+)" hx-get')


def entries(answer) -> list[str]:
    return _ENTRY.findall(answer.text)


@pytest.fixture
async def service(serving, tokens):
    async with Receiver() as crm, serving(tokens=tokens, endpoints=[endpoint(crm)]) as service:
        yield service


@pytest.fixture
async def person(service):
    async with signed_in(service, "support") as person:
        yield person


async def note(person, session: str, text: str) -> None:
    answer = await person.act(f"/console/sessions/{session}/note", reason=text)
    assert answer.status_code == 303, answer.text


async def test_nobody_has_acted_yet(person):
    assert "Nobody has acted yet" in in_text((await person.get(PAGE)).text)


async def test_an_entry_tells_who_when_from_where_and_why(person):
    session = await happen(person, forge.story(1)[0])
    await note(person, session, HOSTILE)
    answer = await person.get(PAGE)
    assert "<script>alert" not in answer.text
    text = in_text(answer.text)
    assert "the support support, by the console, 127.0.0.1" in text
    assert f"added a note {session} {HOSTILE}" in text
    (entry,) = entries(answer)
    assert f'href="/console/sessions/{session}#act-{entry}"' in answer.text


async def test_what_an_act_changed_is_told(person):
    session = await happen(person, forge.story(1)[1])
    await person.act(f"/console/sessions/{session}/close-gap", reason="It never comes", expected="1")
    text = in_text((await person.get(PAGE)).text)
    assert "crm : completed a new callback pending → completed gave up on 1" in text


async def test_what_was_changed_of_an_endpoint_is_told_as_it_was_and_as_it_is(serving, tokens):
    async with serving(tokens=tokens, encryption_keys=[new_key()]) as service, signed_in(service, "admin") as admin:
        url = "https://crm.example/?key="
        await admin.post("/v1/endpoints", json={"name": "ledger", "url": f"{url}old", "states": ["expired"]})
        await admin.patch("/v1/endpoints/ledger", json={"states": [], "concurrency": 2, "url": f"{url}other"})
        await admin.post("/v1/endpoints/ledger/rotate", json={"overlap": 3600})
        for deed in ("disable", "enable"):
            await admin.post(f"/v1/endpoints/ledger/{deed}")
        await admin.delete("/v1/endpoints/ledger")
        page = await admin.get(PAGE)
    text = in_text(page.text)
    assert "URL: https://crm.example/?key=*** (changed in what is not shown of it)" in text
    assert "Only these states: expired → all Attempts at once: 8 → 2" in text
    assert "The old secret signs on for: 3,600 s" in text
    assert "State: in order → disabled" in text
    assert "State: disabled → in order" in text
    assert "0 callbacks that waited for it became dead" in text
    assert "Only these states: expired" in text.rpartition("made an endpoint")[2]
    assert "key=o" not in page.text


async def test_entries_are_filtered_by_each_field(person):
    first, second = await happen(person, forge.story(1)[0]), await happen(person, forge.story(2)[0])
    await note(person, first, "one")
    await note(person, second, "two")
    newest, oldest = entries(await person.get(PAGE))
    for wanted, found in (
        ({"session": f"https://crm.example/?id={first.upper()}"}, [oldest]),
        ({"session": second, "actor": "the support"}, [newest]),
        ({"actor": "somebody"}, []),
        ({"act": "session.note"}, [newest, oldest]),
        ({"act": "endpoint.ping"}, []),
        ({"subject": "crm"}, []),
        ({"until": "2000-01-01T00:00"}, []),
        ({"since": "2000-01-01", "actor": ""}, [newest, oldest]),
    ):
        assert entries(await person.get(PAGE, params=wanted)) == found, wanted


async def test_what_is_wrong_with_a_filter_stands_beside_it(person):
    answer = await person.get(PAGE, params={"session": "abc", "act": "explode", "since": "soon"})
    assert answer.status_code == 400
    for field in ("session", "act", "since"):
        assert f'id="{field}-fault"' in answer.text
    assert 'value="abc"' in answer.text


async def test_pages_are_appended_and_none_comes_twice(person):
    session = await happen(person, forge.story(1)[0])
    for number in range(60):
        await note(person, session, f"note {number}")
    first = await person.get(PAGE)
    where = unescape(_MORE.search(first.text)[1])
    second = await person.get(where, headers={"hx-request": "true"})
    assert second.text.lstrip().startswith("<tr")
    found = entries(first) + entries(second)
    assert len(found) == len(set(found)) == 60
    assert found == sorted(found, key=int, reverse=True)
    assert "Back to the newest" in (await person.get(where)).text


async def test_the_trail_is_not_for_readers(service):
    async with signed_in(service, "reader") as reader:
        assert (await reader.get(PAGE)).status_code == 403


def test_every_deed_has_its_words():
    assert set(ACTS) == {deed.value for deed in Deed}


def test_an_unknown_name_is_refused_and_an_address_keeps_the_rest():
    with pytest.raises(QueryRefused):
        read_sought(b"who=anna")
    sought = read_sought(f"actor=anna&act=&session={UUID(int=1)}&cursor=7".encode())
    assert (sought.wanted.actor, sought.wanted.session_id, sought.cursor) == ("anna", UUID(int=1), "7")
    assert sought.address(cursor="9") == f"{PAGE}?actor=anna&session={UUID(int=1)}&cursor=9"
