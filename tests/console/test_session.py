"""The page of one session: what happened, when and why, and who was told of it."""

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest

import forge
from happenings import endpoint, happen, page_of, seen, settled, signed_in
from receiver import Answer, Receiver

UNKNOWN = "fe1941c2-bc45-4142-b516-fa0fc9fd7700"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


async def test_it_says_what_happened_and_who_was_told(serving, tokens):
    async with Receiver() as crm, Receiver(otherwise=lambda _: Answer(503)) as ledger:
        wanting = {"endpoints": [endpoint(crm), endpoint(ledger, "ledger")], "delivery": {"schedule": [0]}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            session = await happen(person, *forge.story(1))
            await settled(person, session)
            page = await seen(person, page_of(session))
            assert "It is completed : number 2 ( session.completed ) ended it" in page
            assert "The callback to ledger ( completed ) is dead: its only attempt" in page
            assert "crm delivered ledger dead" in page
            assert "session.created , number 1 , arrived in its turn and took effect." in page
            assert "Attempt 1 delivered the callback to crm ." in page
            assert "Attempt 1 at ledger failed: HTTP 503 . It was the last: the callback is dead." in page
            assert page.count("Signature verifies") == 2


async def test_a_session_that_waits_says_for_what(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, forge.story(1)[1])
        page = await seen(person, page_of(session))
        assert "Number 1 was missing when number 2 came." in page
        assert "Close the gap now" in page
        assert "Nobody has been told yet." in page
        assert "is held: it waits for number 1 ." in page


async def test_repeats_are_folded_under_their_event(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        created, _ = forge.story(1)
        again = forge.redelivered(created)
        session = await happen(person, created, again, forge.redelivered(again))
        answer = (await person.get(page_of(session))).text
        assert "Delivered 2 more times" in answer
        assert answer.count('<li class="moment') == 2
        folded = re.search(r'<details id="repeats-1">(.*?)</details>', answer, re.DOTALL)[1]
        assert folded.count("<li>") == 2


async def test_what_was_said_then_stands_beside_what_is_known_now(serving, tokens):
    async with Receiver() as crm:
        wanting = {"endpoints": [endpoint(crm)], "ordering": {"gap_timeout": 0}}
        async with serving(tokens=tokens, **wanting) as service, signed_in(service, "support") as person:
            created, completed = forge.story(1)
            session = await happen(person, completed)
            await settled(person, session)
            assert "What was said then is still what is known now." in await seen(person, page_of(session))
            await happen(person, created)
            page = await seen(person, page_of(session))
            assert "steps without an event session.created none" in page
            assert "every event there no yes" in page


async def test_the_path_is_lit(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        session = await happen(person, *forge.story(1))
        answer = (await person.get(page_of(session))).text
        assert "It went through pending, created, completed." in answer
        assert answer.count("chart-state--visited") == 3


async def test_a_reader_sees_no_claims_and_nobodys_words(serving, tokens):
    async with (
        Receiver(Answer(200, body=b"thank you, Erika")) as crm,
        serving(tokens=tokens, endpoints=[endpoint(crm)]) as service,
    ):
        created, completed = forge.story(1)
        completed["payload"]["surname"] = "Mustermann"
        async with signed_in(service, "support") as support:
            session = await happen(support, created, completed)
            await settled(support, session)
            await support.act(f"{page_of(session)}/note", reason="Ms Mustermann called")
            told = await seen(support, page_of(session))
            assert all(each in told for each in ("thank you, Erika", '"surname": "Mustermann"', "called"))
        async with signed_in(service, "reader") as reader:
            answer = (await reader.get(page_of(session))).text
            assert not re.search("Mustermann|Erika|called", answer)
            assert "The claims are shown to the role support" in answer
            assert "Signature verifies" in answer
            assert not re.search("/note|/resend|/close-gap", answer)


class Markup(HTMLParser):
    """Notes what a browser would make of a page: its elements, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def hostile() -> dict:
    event = forge.event("session.created", 1, uuid4())
    text = dict.fromkeys(("eventVersion", "eventDeliverId", "environment", "unheardOf"), HOSTILE)
    inner = dict.fromkeys(("flowId", "sessionStatus", "lastStepId", "lastStepType", "lastStepStatus", "more"), HOSTILE)
    return event | text | {"payload": event["payload"] | inner, HOSTILE: [HOSTILE, "\ud800", None]}


@pytest.mark.parametrize("name", ["session.created", HOSTILE], ids=["known", "hostile"])
async def test_what_a_stranger_sends_is_only_ever_text(serving, tokens, name):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        session = await happen(person, hostile() | {"eventName": name, "eventId": HOSTILE, "sub": HOSTILE})
        answer = await person.get(page_of(session))
        page = Markup(answer.text)
        assert answer.status_code == 200
        assert "&lt;script&gt;alert(1)" in answer.text
        assert answer.text.count("{{7*7}}") == answer.text.count("alert(2)&gt;")
        assert [given for tag, given in page.seen if tag == "script" and "src" not in given] == []
        assert [tag for tag, _ in page.seen if tag in {"img", "iframe", "object", "style"}] == []
        assert [
            given for _, given in page.seen if any(each.startswith("on") or each == "style" for each in given)
        ] == []
        assert "\\ud800" in answer.text


async def test_a_key_id_of_a_stranger_is_text_too(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        event = forge.event("session.created", 1, uuid4())
        token = forge.token(event, header={"typ": HOSTILE, "note": HOSTILE})
        assert (await person.post("/webhooks/idnow", content=token)).status_code == 200
        answer = (await person.get(page_of(event["payload"]["sessionId"]))).text
        assert "<img" not in answer


async def test_a_forged_archive_is_told_from_a_true_one(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "support") as person:
        created, _ = forge.story(1)
        session = await happen(person, created)
        other = forge.token(created, signer=forge.signer("key-1x"))
        async with service.database.writer.begin() as connection:
            await connection.exec_driver_sql("UPDATE events SET token = ?", (other,))
        page = await seen(person, page_of(session))
        assert "Signature does not verify : it is not by the archived key" in page.replace("verify:", "verify :")


async def test_an_id_in_another_case_leads_to_ours(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        session = await happen(person, *forge.story(1))
        answer = await person.get(page_of(session.upper()))
        assert (answer.status_code, answer.headers["location"]) == (308, page_of(session))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (UNKNOWN, "no event of it has come to this service yet"),
        ("fe1941c2", "This is no id of a session"),
        ("%3Cscript%3Ealert(1)", "This is no id of a session"),
    ],
)
async def test_what_is_not_known_is_said_with_what_to_do(serving, tokens, asked, said):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        answer = await person.get(page_of(asked))
        assert answer.status_code == 404
        assert said in answer.text
        assert "Search for it" in answer.text
        assert "<script>alert" not in answer.text


async def test_nothing_is_behind_a_session_but_what_is_linked(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        answer = await person.get(page_of("%3Cscript%3Ealert(1)%3C%2Fscript%3E"))
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_whoever_is_not_signed_in_sees_neither_page_nor_stream(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        session = await happen(person, *forge.story(1))
        person.cookies.clear()
        for path in (page_of(session), f"{page_of(session)}/live"):
            answer = await person.get(path)
            assert answer.status_code in {303, 401}
            assert "completed" not in answer.text


async def test_a_stream_of_an_unknown_session_is_refused(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "reader") as person:
        assert (await person.get(f"{page_of(UNKNOWN)}/live")).status_code == 404
