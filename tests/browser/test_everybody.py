"""Every page, for everybody: axe-core finds nothing, in both themes and both languages, and nothing is too wide."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import forge
from house import SESSIONS

LOOKS = (("light", "en"), ("dark", "de"))
SCREENS = ((320, "en"), (320, "de"), (3840, "en"))


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
        "/console/callbacks",
        "/console/overview",
        "/console/audit",
        "/console/nothing",
    ]


def unfold(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def look(page, path: str) -> str:
    """What axe-core finds on a page with all of it unfolded, by the page."""
    page.goto(path)
    unfold(page)
    found = Axe().run(page)
    return f"{path}\n{found.generate_report()}" if found.violations_count else ""


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_axe_finds_nothing_on_any_page(house, paths, enter, visit, theme, language):
    wishes = {"color_scheme": theme, "locale": language}
    page, stranger = enter("support", **wishes), visit(house.service, **wishes)
    found = [look(page, path) for path in paths] + [look(stranger, "/console/sign-in")]
    assert "".join(found) == "", "".join(found)
    assert page.evaluate("document.documentElement.lang") == language


@pytest.mark.slow
def test_axe_finds_nothing_on_a_narrow_screen_with_the_menu_and_the_keys_shown(paths, enter):
    page = enter("support", color_scheme="dark", viewport={"width": 320, "height": 640})
    found = [look(page, path) for path in paths[:8]]
    page.goto(SESSIONS)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    dialog = Axe().run(page)
    assert ("".join(found), dialog.violations_count) == ("", 0), dialog.generate_report()


@pytest.mark.parametrize(("width", "language"), SCREENS)
def test_no_page_is_wider_than_the_screen(house, paths, enter, visit, width, language):
    wishes = {"viewport": {"width": width, "height": 900}, "locale": language}
    page, stranger = enter("support", **wishes), visit(house.service, **wishes)
    wide = []
    for each, path in [(page, path) for path in paths] + [(stranger, "/console/sign-in")]:
        each.goto(path)
        unfold(each)
        each.evaluate("scrollTo(10000, 0)")
        if each.evaluate("scrollX > 0 || document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    assert wide == []


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
