"""The acts of support as pages: what it would do, a reason, the act, and what is so when it cannot be done any more."""

import re
from uuid import uuid4

import pytest

import forge
from happenings import callbacks_of, endpoint, happen, in_text, page_of, seen, settled, signed_in
from receiver import Answer, Receiver

UNKNOWN = "fe1941c2-bc45-4142-b516-fa0fc9fd7700"
WHY = "Ticket 4711: they are up again"
_PLANNED = re.compile('data-callback="([^"]+)"')


async def test_a_dead_callback_is_tried_again_with_a_reason(serving, tokens):
    async with Receiver(Answer(503)) as crm:
        wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (callback,) = await settled(person, session)
            path = f"/console/callbacks/{callback['callbackId']}/retry"
            assert path in (await person.get(page_of(session))).text
            asked = await person.get(path)
            assert _PLANNED.findall(asked.text) == [callback["callbackId"]]
            assert "The callback to crm about completed is due at once" in in_text(asked.text)
            assert 'name="expected" value="dead 1"' in asked.text
            answer = await person.act(path, reason=WHY, expected="dead 1")
            assert answer.status_code == 303
            where, _, anchor = answer.headers["location"].partition("#")
            assert where == page_of(session)
            await crm.wait_for(2)
            (callback,) = await settled(person, session)
            assert callback["status"] == "delivered"
            page = (await person.get(where)).text
            assert f'id="{anchor}"' in page
            assert f"the support had the callback to crm tried again: {WHY}" in in_text(page)
            assert "as support, by the console, from 127.0.0.1" in in_text(page)


async def test_whoever_has_a_callback_sent_is_told_before_what_it_would_wait_for(serving, tokens):
    async with Receiver(otherwise=lambda _: Answer(410)) as crm:
        wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (callback,) = await settled(person, session)
            asked = await seen(person, f"/console/callbacks/{callback['callbackId']}/retry")
            assert "It would not go out at once: The callback to crm ( completed ) is held back" in asked
            assert "not go out at once" not in await seen(person, f"{page_of(session)}/note")


async def test_a_gap_is_closed_and_what_was_planned_goes_out(serving, tokens):
    async with Receiver() as crm, Receiver() as ledger:
        wanting = {"endpoints": [endpoint(crm), endpoint(ledger, "ledger")]}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, forge.story(1)[1])
            path = f"{page_of(session)}/close-gap"
            asked = (await person.get(path)).text
            planned = set(_PLANNED.findall(asked))
            assert "pending → created , by session.created inferred" in in_text(asked)
            assert await callbacks_of(person, session) == []
            assert 'name="expected" value="1"' in asked
            answer = await person.act(path, reason=WHY, expected="1")
            assert answer.status_code == 303
            await settled(person, session)
            sent = {each.headers["webhook-id"] for each in (*await crm.wait_for(1), *await ledger.wait_for(1))}
            assert sent == planned
            assert len(planned) == 2


async def test_a_delivered_callback_is_sent_again_under_its_id(serving, tokens):
    async with (
        Receiver() as crm,
        serving(tokens=tokens, endpoints=[endpoint(crm)]) as service,
        signed_in(service, "support") as person,
    ):
        session = await happen(person, *forge.story(1))
        (callback,) = await settled(person, session)
        answer = await person.act(
            f"/console/callbacks/{callback['callbackId']}/resend", reason=WHY, expected="delivered 1"
        )
        assert answer.status_code == 303
        first, second = await crm.wait_for(2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == callback["callbackId"]


@pytest.mark.parametrize("seen_before", ["", "dead", "dead x", "dead 0", "pending 1"])
async def test_a_callback_that_is_no_longer_as_it_was_seen_is_not_sent(serving, tokens, seen_before):
    async with Receiver(Answer(503)) as crm:
        wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (callback,) = await settled(person, session)
            path = f"/console/callbacks/{callback['callbackId']}/retry"
            answer = await person.act(path, reason=WHY, expected=seen_before)
            assert answer.status_code == 409
            assert "somebody has had this callback sent since you opened the page" in in_text(answer.text)
            assert 'value="dead 1"' in answer.text
            assert WHY in answer.text
            assert (await callbacks_of(person, session)) == [callback]


async def test_a_note_changes_nothing_but_the_story(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, *forge.story(1))
        assert "No callback would go out." in await seen(person, f"{page_of(session)}/note")
        said = "<b>Called</b> twice\r\nand \u202eonce more"
        assert (await person.act(f"{page_of(session)}/note", reason=said)).status_code == 303
        page = (await person.get(page_of(session))).text
        assert "noted: <b>&lt;b&gt;Called&lt;/b&gt; twice\nand" in page


@pytest.mark.parametrize("reason", ["", " \r\n ", "x" * 501, "\0"])
async def test_without_a_reason_nothing_is_done(serving, tokens, reason):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, forge.story(1)[1])
        answer = await person.act(f"{page_of(session)}/close-gap", reason=reason, expected="1")
        assert answer.status_code == 422
        assert "Nothing was done: it takes 1 to 500 characters" in in_text(answer.text)
        assert "is held" in await seen(person, page_of(session))


async def test_what_was_written_is_not_lost_by_a_refusal(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, *forge.story(1))
        answer = await person.act(f"{page_of(session)}/note", reason="y" * 501)
        assert f"\n{'y' * 501}</textarea>" in answer.text


async def test_a_reader_may_neither_act_nor_see_what_would_be(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        session = await happen(person, forge.story(1)[1])
        paths = (f"{page_of(session)}/close-gap", f"{page_of(session)}/note", f"/console/callbacks/{UNKNOWN}/retry")
        for path in paths:
            assert (await person.get(path)).status_code == 403
            answer = await person.act(path, reason=WHY, expected="1")
            assert answer.status_code == 403
            assert "Your role does not allow it." in in_text(answer.text)
        assert "is held" in await seen(person, page_of(session))


async def test_an_act_that_none_of_our_pages_sent_is_not_done(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, *forge.story(1))
        answer = await person.post(f"{page_of(session)}/note", data={"reason": WHY})
        assert answer.status_code == 403
        assert WHY not in await seen(person, page_of(session))


async def test_what_is_delivered_cannot_be_tried_again(serving, tokens):
    async with (
        Receiver() as crm,
        serving(tokens=tokens, endpoints=[endpoint(crm)]) as service,
        signed_in(service, "support") as person,
    ):
        session = await happen(person, *forge.story(1))
        (callback,) = await settled(person, session)
        path = f"/console/callbacks/{callback['callbackId']}/retry"
        for answer in (await person.get(path), await person.act(path, reason=WHY)):
            assert answer.status_code == 409
            assert "This callback has been delivered" in answer.text
            assert "The callback to crm ( completed ) was delivered at" in in_text(answer.text)
            assert f"/console/callbacks/{callback['callbackId']}/resend" in answer.text


async def test_what_is_on_its_way_is_not_sent_again(serving, tokens):
    async with Receiver(otherwise=lambda _: Answer(503)) as crm:
        wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            (callback,) = await settled(person, session)
            answer = await person.get(f"/console/callbacks/{callback['callbackId']}/resend")
            assert answer.status_code == 409
            assert "is dead" in in_text(answer.text)
            assert f"/console/callbacks/{callback['callbackId']}/retry" in answer.text


async def test_a_gap_is_closed_once(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, forge.story(1)[1])
        path = f"{page_of(session)}/close-gap"
        assert (await person.act(path, reason=WHY, expected="1")).status_code == 303
        again = await person.act(path, reason=WHY, expected="1")
        assert again.status_code == 409
        assert "There is no gap any more" in again.text
        assert "It is completed" in in_text(again.text)


async def test_a_gap_of_thousands_is_closed_as_it_was_seen(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, forge.event("session.completed", 9999, uuid4()))
        path = f"{page_of(session)}/close-gap"
        asked = (await person.get(path)).text
        assert 'name="expected" value="1-9998"' in asked
        assert "number 1-9998" in in_text(asked)
        assert (await person.act(path, reason=WHY, expected="1-9998")).status_code == 303
        assert "Given up on 1-9998" in await seen(person, page_of(session))


@pytest.mark.parametrize(
    "expected",
    [{}, {"expected": ""}, {"expected": "1,2"}, {"expected": "one"}, {"expected": "²"}, {"expected": "1" * 5000}],
    ids=["not said", "empty", "other", "no number", "no digit", "endless"],
)
async def test_a_gap_that_nobody_has_looked_at_stays(serving, tokens, expected):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, forge.story(1)[1])
        answer = await person.act(f"{page_of(session)}/close-gap", reason=WHY, **expected)
        assert answer.status_code == 409
        assert "the gap is no longer the one that you saw" in in_text(answer.text)
        assert WHY in answer.text
        assert "is held" in await seen(person, page_of(session))


@pytest.mark.parametrize(
    "path", [f"/console/callbacks/{UNKNOWN}/retry", "/console/callbacks/x/resend", f"/console/sessions/{UNKNOWN}/note"]
)
async def test_what_there_is_not_cannot_be_acted_on(serving, tokens, path):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        assert (await person.get(path)).status_code == 404
        assert (await person.act(path, reason=WHY)).status_code == 404
