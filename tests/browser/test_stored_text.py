"""What strangers have written is shown as text, wherever it is kept and whatever page it comes out on.

Each payload stands in every field of a webhook that is kept, in what an endpoint answers, in what people write, and in
the names of subscribers, keys and people. Had one of them been run, `window.pwned` would say so; and the browser's own
complaints are those of a page that broke its policy.
"""

import uuid
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

import forge
from house import ENDPOINTS, SESSIONS, open_house

PAYLOADS = {
    "script": "<script>window.pwned=1</script>",
    "attribute": '"><img src=x onerror=window.pwned=1>',
    "single-quotes": "' onfocus='window.pwned=1' autofocus x='",
    "svg": "<svg/onload=window.pwned=1>",
    "breaking-out": "</pre></textarea></title></svg><script>window.pwned=1</script>",
    "url": "javascript:window.pwned=1//",
    "template": "{{7*7}}${7*7}<%= 7*7 %>{% for x in y %}#{7*7}",
    "format": "%s%n{0}{name}%(name)s{",
    "htmx": "<b hx-get=/console/sign-out hx-trigger=load hx-on:click=window.pwned=1 data-hx-get=/x>b</b>",
    "turned-around": "\u202egnihtemos\u2066\u200b\u0301",
    "unicode": "\uff1cscript\uff1ewindow.pwned=1\uff1c/script\uff1e\u2028\u2029\u017fcript\ufeff",
    "event-stream": "x\r\ndata: <script>window.pwned=1</script>\n\nevent: close\n",
    "long": "W" * 255,
}

HOSTILE = PAYLOADS["attribute"] + PAYLOADS["script"]


def event(name: str, payload: str, number: int, session: uuid.UUID) -> dict:
    """An event with the payload in each field that is kept as it comes, and in some that nobody knows."""
    event = forge.event(name, number, session, environment=payload)
    texts = dict.fromkeys(("sessionStatus", "flowId", "lastStepId", "lastStepType", "lastStepStatus", "who"), payload)
    event["payload"] |= texts | {payload: payload, "nested": {payload: [payload]}}
    return event | {"eventDeliverId": payload, "eventVersion": payload, payload: payload}


@pytest.fixture(scope="module")
def sessions(hostile) -> dict[str, uuid.UUID]:
    """For each payload a session that has ended, with everything that can befall one."""
    told = {payload: uuid.uuid4() for payload in PAYLOADS.values()}
    for payload, session in told.items():
        tell(hostile, payload, session)
    for session in told.values():
        hostile.wait_for(session, "dead")
    return told


def tell(hostile, payload: str, session: uuid.UUID) -> None:
    hostile.crm.broken[session] = f"{payload}\n".encode()
    signer = forge.signer(PAYLOADS["attribute"])
    for event_ in (
        event("session.created", payload, 1, session) | {"eventId": payload},
        event(payload, payload, 2, session),
        event("session.completed", payload, 3, session),
    ):
        hostile.tell(event_, signer=signer)
        hostile.tell(event_ | {"eventDeliverId": f"{payload}2"}, signer=signer)
    hostile.tell(event("session.aborted", payload, 3, session), signer=signer)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A house whose subscriber and key have hostile names as well."""
    keys = forge.jwks(forge.signer(), forge.signer(PAYLOADS["attribute"]))
    names = {"crm_name": HOSTILE, "idle": [PAYLOADS["attribute"]]}
    with open_house(tmp_path_factory.mktemp("hostile"), keys=keys, **names) as house:
        house.provider.person = dict(house.provider.person) | {"preferred_username": PAYLOADS["svg"]}
        yield house


@pytest.fixture
def page(hostile, visit):
    """A page of somebody with a hostile name."""
    page = visit(hostile.service)
    page.goto("/console/sign-in/provider?next=/console/sessions")
    page.wait_for_url(f"**{SESSIONS}")
    return page


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_what_a_stranger_wrote_is_shown_as_text_on_the_page_of_its_session(sessions, page, payload):
    session, seen = sessions[payload], payload.strip().splitlines()[0]
    page.goto(f"{SESSIONS}/{session}")
    page.get_by_role("link", name="Add a note").click()
    page.get_by_label("What do you want to say?").fill(payload)
    page.get_by_role("button", name="Add a note").click()
    expect(page.locator(".moment:target")).to_contain_text(seen)
    unfold(page)
    assert_harmless(page, payload)
    assert page.locator("main").inner_text().count(seen) >= 5


def test_what_strangers_wrote_is_shown_as_text_on_all_other_pages(hostile, sessions, page):
    acts = [f"/console/callbacks/{hostile.callback(each)}/retry" for each in sessions.values()]
    notes = [f"{SESSIONS}/{each}/note" for each in sessions.values()]
    for path in (SESSIONS, "/console/overview", "/console/callbacks", "/console/audit", *acts, *notes):
        page.goto(path)
        unfold(page)
        assert_harmless(page, path)


def test_names_answers_and_what_was_typed_are_shown_as_text_on_the_pages_about_endpoints(hostile, visit):
    page = hostile.let_in(visit(hostile.service), "admin")
    texts = [each for each in PAYLOADS.values() if "\n" not in each]
    named = f"{ENDPOINTS}/{quote(PAYLOADS['attribute'], safe='')}"
    ledger = f"{ENDPOINTS}/{hostile.endpoint(environments=texts, flows=texts)}"
    hostile.crm.broken[None] = "\n".join(texts).encode()
    for path, fields in (
        *((f"{named}/{act}", {}) for act in ("enable", "rotate", "delete", "change")),
        (f"{named}/ping", {"reason": HOSTILE}),
        (f"{named}/disable", {"reason": HOSTILE}),
        (f"{named}/disable", {}),
        (f"{ledger}/change", {"flows": HOSTILE, "rate": HOSTILE, "reason": HOSTILE}),
        (f"{ledger}/change", {"flows": HOSTILE, "environments": "", "reason": HOSTILE}),
        (f"/console/audit?subject={ledger.rpartition('/')[2]}", {}),
    ):
        page.goto(path)
        assert "window.pwned" in page.locator("main").inner_html(), path
        assert_harmless(page, path)
        if fields:
            send(page, fields)
            assert_harmless(page, path)
    assert HOSTILE in page.locator(".c-effect").first.inner_text()


def test_what_stands_in_an_address_is_shown_as_text(page):
    known = ("q", "environment", "flow", "since", "cursor", "state")
    for payload in PAYLOADS.values():
        for query in (dict.fromkeys(known, payload), {payload: payload}, {"q": payload}):
            page.goto(f"{SESSIONS}?{urlencode(query)}")
            assert_harmless(page, payload)
        page.goto(f"/console/sign-in?{urlencode({'next': payload})}")
        assert_harmless(page, "next")


def send(page, fields) -> None:
    """Fill the form of an endpoint, and send it."""
    for name, text in fields.items():
        page.locator(f"form.card [name={name}]").fill(text)
    with page.expect_navigation():
        page.locator("form.card .button").first.click()


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def assert_harmless(page, where: str) -> None:
    """Nothing was run, nothing became an element, and nothing pushes the page out of its width."""
    assert page.evaluate("window.pwned") is None, where
    assert page.locator("main script, main img, main [onerror], main [onload], main [hx-on\\:click]").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0, where
    assert page.locator("b[hx-get], [data-hx-get]").count() == 0, where
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
