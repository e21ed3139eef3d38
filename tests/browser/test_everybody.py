"""Every page, for everybody: axe-core finds nothing, in both themes and both languages, and nothing is too wide."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import expect

import forge
from house import ENDPOINTS, SESSIONS

LANGUAGES = ("en", "de")
WIDTHS = (320, 3840)
RUN = "options => axe.run(options).then(({ violations }) => ({ violations }))"
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe-core that a theme can break."""

SENT = ("/new-endpoint", "/ping", "/rotate")
"""The forms that are answered by a page of their own; nothing but the reason is typed into them."""

OUTSIDE = ("/console/sign-in", "/console/sign-in/answer")
"""What whoever is not signed in is shown; to come back from no provider is a fault."""


@pytest.fixture(scope="module")
def paths(house) -> list[str]:
    """Each page that there is, with something on it."""
    session, gap = house.dead_letter(b"<b>full</b>"), house.gap()
    _created, completed = forge.story(session_id=session)
    house.tell(forge.redelivered(completed), completed | {"eventName": "session.aborted"})
    house.service.http.post(f"/v1/sessions/{session}/notes", json={"text": "a note"}, headers=house.bearer)
    acts = [f"/console/callbacks/{house.callback(each)}" for each in (session, house.delivered())]
    return [
        SESSIONS,
        f"{SESSIONS}?environment=nowhere",
        f"{SESSIONS}?q=xyz",
        f"{SESSIONS}/{session}",
        f"{SESSIONS}/{gap}",
        f"{SESSIONS}/{gap}x",
        f"{SESSIONS}/{session}/note",
        f"{SESSIONS}/{gap}/close-gap",
        f"{SESSIONS}/{session}/close-gap",
        f"{acts[0]}/retry",
        f"{acts[1]}/resend",
        f"{acts[1]}/retry",
        *of_an_endpoint(house),
        "/console/callbacks",
        "/console/overview",
        "/console/audit",
        "/console/nothing",
    ]


def of_an_endpoint(house) -> list[str]:
    """All that can be done about one."""
    ledger = f"{ENDPOINTS}/{house.endpoint(states=['completed'], rate=2.5)}"
    acts = ("change", "enable", "disable", "delete", "ping", "rotate")
    return ["/console/new-endpoint", *(f"{ledger}/{act}" for act in acts)]


def open_page(page, path: str) -> None:
    page.goto(path)
    unfold(page)


def tour(page, stranger, paths) -> Iterator[tuple]:
    """Opens one page after the other, and says which: all of these, what answers their forms, and those outside.

    At last it signs out.
    """
    for each, path in [*((page, path) for path in paths), *((stranger, path) for path in OUTSIDE)]:
        open_page(each, path)
        yield each, path
        if path.endswith(SENT):
            each.locator("#reason").fill("Ticket 4711")
            with each.expect_navigation():
                each.locator("form.card .button").first.click()
            yield each, f"{path}, sent"
    with page.expect_navigation():
        page.locator("form[action='/console/sign-out']").evaluate("form => form.submit()")
    yield page, "signed out"


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def judge(page, path: str) -> str:
    """What axe-core finds on a page in either theme: it is not loaded again, nor asked again what is no colour."""
    page.emulate_media(color_scheme="light")
    page.evaluate(AXE_SCRIPT)
    light = run_axe(page, f"{path}, light")
    page.emulate_media(color_scheme="dark")
    return light + run_axe(page, f"{path}, dark", runOnly={"type": "rule", "values": COLOURS})


def run_axe(page, path: str, **options) -> str:
    found = AxeResults(page.evaluate(RUN, {"resultTypes": ["violations"]} | options))
    return f"{path}\n{found.generate_report()}" if found.violations_count else ""


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page_in_either_theme(house, paths, enter, visit, language):
    wishes = {"locale": language, "reduced_motion": "reduce"}
    page, stranger = enter("admin", **wishes), visit(house.service, **wishes)
    found = [judge(each, path) for each, path in tour(page, stranger, paths)]
    assert "".join(found) == "", "".join(found)
    assert page.evaluate("document.documentElement.lang") == language


@pytest.mark.slow
def test_axe_finds_nothing_on_a_narrow_screen_with_the_menu_and_the_keys_shown(paths, enter):
    page = enter("support", color_scheme="dark", viewport={"width": 320, "height": 640})
    found = []
    for path in paths[:8]:
        open_page(page, path)
        page.evaluate(AXE_SCRIPT)
        found += [run_axe(page, path)]
    page.goto(SESSIONS)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate(AXE_SCRIPT)
    found += [run_axe(page, "the keys")]
    assert "".join(found) == "", "".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_wider_than_the_screen(house, paths, enter, visit, language):
    page, stranger = enter("admin", locale=language), visit(house.service, locale=language)
    wide = [(path, width) for each, path in tour(page, stranger, paths) for width in WIDTHS if is_wider(each, width)]
    assert wide == []


def is_wider(page, width: int) -> bool:
    """Whether there is something to scroll to at the side of a page, on a screen of this width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("scrollTo(10000, 0)")
    return page.evaluate("scrollX > 0 || document.documentElement.scrollWidth > innerWidth")


def test_the_theme_that_was_chosen_stays(enter):
    page = enter("support", color_scheme="light")
    page.goto(SESSIONS)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.goto("/console/overview")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_german_browser_is_answered_in_german_until_another_language_is_chosen(enter):
    page = enter("support", locale="de-DE")
    page.goto(SESSIONS)
    assert page.evaluate("document.documentElement.lang") == "de"
    page.locator(".menu summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/console/overview")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.url.endswith("/console/overview")
