"""Whoever reads German is told of errors and faults in German too: no sentence of ours is left in English.

Each page is asked for in both languages. Two words in a row, or one that stands alone, that are the same in both must
be a name or some other value, or a term that is the same in German.
"""

import re
from html import unescape

import pytest
from litestar import Request
from litestar.exceptions import MethodNotAllowedException, NotFoundException

import forge
from happenings import endpoint, happen, page_of, settled, signed_in
from receiver import Answer, Receiver
from statekeeper.console.failures import answer_page
from statekeeper.core.errors import (
    BodyRefused,
    CannotBeOpened,
    Fault,
    InSettings,
    NameTaken,
    NoEncryptionKey,
    NotFound,
    NotYetFree,
    QueryRefused,
    TooLarge,
    TooManyEndpoints,
    Unavailable,
)
from statekeeper.delivery import catalogue
from statekeeper.resources import default_chart

KEY = "4Vtyx4xPNwF3CkUzQGmzj2h1GLZqBdbYyhe6cVd0Qx4="
NEW = "/console/new-endpoint"
NOBODY = "/console/sessions/9d3ea38d-1519-4e18-955f-0d6ae774ee36"
WHY = "Ticket 4711"
GOOD = {"name": "ledger", "url": "https://crm.example/", "reason": WHY}
TERMS = {"URL", "UTC", "Name", "Flow", "Flow:", "Callback", "Callbacks", "Claims", "alg", "kid", "UUID in"}
TERMS |= {"statekeeper endpoints", "endpoints new"}  # a command
VALUES = {*default_chart().states, "the admin", "crm", "ledger", "lost", "all", "abc", "staging", "END", "COMPLETED"}
"""States are named by the chart, which speaks no language but its own; the rest was sent, or stands in settings."""

_WORDS = re.compile(r"(?=\b([a-z]+ [a-z]+)\b)|^([a-z]+)$", re.IGNORECASE)
_TEXT = re.compile(r">([^<]+)<|(?:aria-label|placeholder)=\"([^\"]+)\"")


def words_of(html: str) -> set[str]:
    """What is read in the main part of a page, or heard: each two words in a row, and each that stands alone."""
    main = html.partition("<main")[2].partition("</main>")[0]
    assert main, html
    texts = (" ".join(unescape(text or label).split()) for text, label in _TEXT.findall(main))
    return {two or alone for text in texts for two, alone in _WORDS.findall(text)}


def left_in_english(english: str, german: str) -> set[str]:
    assert '<html lang="de"' in german
    return words_of(english) & words_of(german) - TERMS - VALUES


async def asked_twice(person, ask) -> tuple[int, set[str]]:
    """The status that `ask()` is answered, and what is the same in both languages."""
    answers = []
    for language in ("en", "de"):
        person.headers["accept-language"] = language
        answers.append(await ask())
    english, german = answers
    assert english.status_code == german.status_code
    return german.status_code, left_in_english(english.text, german.text)


@pytest.fixture
async def crm():
    async with Receiver(otherwise=lambda _: Answer(503)) as receiver:
        yield receiver


@pytest.fixture
async def service(serving, tokens, crm):
    wanting = {"endpoints": [endpoint(crm)], "delivery": {"schedule": [0]}, "encryption_keys": [KEY]}
    async with serving(tokens=tokens, **wanting) as service:
        yield service


@pytest.fixture
async def admin(service):
    async with signed_in(service, "admin") as person:
        yield person


ERRORS = [
    QueryRefused("cursor", "must be the nextCursor of an earlier page, unchanged"),
    TooLarge(65_536),
    BodyRefused((Fault("reason", "must be a text of 1 to 200 characters"), Fault("rate", "must be a number"))),
    NotFound("endpoint", "crm"),
    NameTaken("crm"),
    NotYetFree("crm"),
    InSettings("crm"),
    NoEncryptionKey(),
    CannotBeOpened("crm"),
    TooManyEndpoints(1_000),
    Unavailable("The store does not answer, or is full.", reason="store"),
    NotFoundException(),
    MethodNotAllowedException(),
    ZeroDivisionError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_told_in_german(error):
    def page(language: str) -> str:
        headers = [(b"accept-language", language.encode())]
        scope = {"type": "http", "method": "GET", "path": "/console/x", "headers": headers, "query_string": b""}
        return answer_page(Request(scope), error).content

    assert left_in_english(page("en"), page("de")) == set()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/nothing", 404),
        ("/console/sessions/abc", 404),
        (NOBODY, 404),
        (f"{NOBODY}/note", 404),
        ("/console/sessions?stat=error", 400),
        ("/console/sessions?q=a&q=b", 400),
        ("/console/sessions?flow=%ff", 400),
        ("/console/sessions?cursor=x", 400),
        (
            "/console/sessions?q=x&state=x&environment=%00&flow=%00&since=x&until=x&held=1&gap=1&dead=1&contradicted=1",
            400,
        ),
        ("/console/callbacks?status=x", 400),
        ("/console/callbacks?subscriber=%00", 400),
        ("/console/audit?cursor=x", 400),
        ("/console/audit?actor=%00&act=x&session=x&subject=%00&since=x&until=x", 400),
        ("/console/endpoints/nobody/ping", 404),
    ],
)
async def test_an_address_that_is_not_right_is_told_of_in_german(admin, path, status):
    assert await asked_twice(admin, lambda: admin.get(path)) == (status, set())


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": ""}, 422),
        ({"concurrency": "many"}, 422),
        ({"rate": "fast"}, 422),
        ({"name": ""}, 422),
        ({"name": "ü"}, 422),
        ({"name": "crm"}, 409),
        ({"url": ""}, 422),
        ({"url": "http://crm.example/"}, 422),
        ({"url": "https://127.0.0.1/"}, 422),
        ({"states": "lost", "transitions": "some", "environments": "1" * 256, "flows": "1" * 256}, 422),
        ({"states": "lost", "transitions": "all"}, 422),
        ({"notices": "all", "concurrency": "0", "rate": "0"}, 422),
    ],
)
async def test_what_is_wrong_in_the_form_of_an_endpoint_is_told_in_german(admin, fields, status):
    assert await asked_twice(admin, lambda: admin.act(NEW, **GOOD | fields)) == (status, set())


@pytest.mark.parametrize("act", ["enable", "disable", "ping", "rotate", "change", "delete"])
async def test_an_act_without_a_reason_is_refused_in_german(admin, act):
    await admin.act(NEW, **GOOD)
    if act == "enable":
        await admin.act("/console/endpoints/ledger/disable", reason=WHY)
    path = f"/console/endpoints/ledger/{act}"
    assert await asked_twice(admin, lambda: admin.act(path, reason="")) == (422, set())


async def test_what_the_settings_or_too_many_secrets_forbid_is_told_in_german(admin, monkeypatch):
    refused = lambda name: asked_twice(admin, lambda: admin.act(f"/console/endpoints/{name}/rotate", reason=WHY))  # noqa: E731
    assert await refused("crm") == (409, set())
    await admin.act(NEW, **GOOD)
    monkeypatch.setattr(catalogue, "MOST_SECRETS", 0)
    assert await refused("ledger") == (422, set())


async def test_without_a_key_no_endpoint_is_made_in_german_either(serving, tokens):
    async with serving(tokens=tokens) as service, signed_in(service, "admin") as person:
        assert await asked_twice(person, lambda: person.act(NEW, **GOOD)) == (409, set())


async def test_an_act_on_a_session_is_refused_in_german(admin):
    waits, ended = await happen(admin, forge.story(1)[1]), await happen(admin, *forge.story(2))
    (callback,) = await settled(admin, ended)
    retry = f"/console/callbacks/{callback['callbackId']}/"
    for path, fields, status in (
        (f"{page_of(waits)}/note", {"reason": "1" * 501}, 422),
        (f"{page_of(waits)}/note", {"reason": "1" * 70_000}, 413),
        (f"{page_of(waits)}/close-gap", {"reason": WHY, "expected": "7"}, 409),
        (f"{page_of(ended)}/close-gap", {"reason": WHY}, 409),
        (f"{retry}resend", {"reason": WHY}, 409),
    ):
        assert await asked_twice(admin, lambda path=path, fields=fields: admin.act(path, **fields)) == (status, set())


async def test_who_may_not_is_told_so_in_german(service):
    async with signed_in(service, "reader") as reader:
        assert await asked_twice(reader, lambda: reader.get("/console/audit")) == (403, set())
        forged = {"origin": "https://elsewhere.example"}
        assert await asked_twice(reader, lambda: reader.post("/console/overview", headers=forged)) == (403, set())
        own = {"origin": str(reader.base_url)}
        assert await asked_twice(reader, lambda: reader.post("/console/overview", headers=own)) == (403, set())
        reader.cookies.clear()
        part = {"hx-request": "true"}
        assert await asked_twice(reader, lambda: reader.get("/console/overview", headers=part)) == (401, set())


async def test_what_was_done_and_refused_is_told_in_german(admin, crm):
    session = await happen(admin, forge.story(1)[1])
    await admin.act(f"{page_of(session)}/close-gap", reason=WHY, expected="1")
    (callback,) = await settled(admin, session)
    await admin.act(f"/console/callbacks/{callback['callbackId']}/retry", reason=WHY)
    await settled(admin, session)
    await admin.act(NEW, **GOOD, states="completed", notices="callback.dead", rate="2.5")
    for act, more in (("rotate", {}), ("change", {"transitions": "all"}), ("delete", {})):
        await admin.act(f"/console/endpoints/ledger/{act}", reason=WHY, **more)
    await admin.webhook({"eventId": "", "eventSequence": 0, "payload": {}})
    for path in (page_of(session), "/console/audit", "/console/overview", "/console/callbacks"):
        assert await asked_twice(admin, lambda path=path: admin.get(path)) == (200, set())
