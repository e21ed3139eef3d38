"""The page of the sessions in a real browser: found, walked by keys, appended to, and never moved by what comes in."""

from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe

import forge

PAGE = "/console/sessions"
BERLIN = {"timezone_id": "Europe/Berlin", "locale": "en-GB"}
NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1440, "height": 900}


def come(service, *numbers: int, end: str = "completed") -> None:
    for number in numbers:
        for data in forge.story(number, end, session_id=UUID(int=number)):
            assert service.post(forge.token(data)).status_code == 200


def shown(page) -> list[int]:
    return [UUID(each).int for each in page.locator("[data-row] .row-link").all_inner_texts()]


@pytest.fixture
def service(serving):
    service = serving(measured=False, ordering={"gap_timeout": 3600})
    come(service, *range(1, 61))
    return service


def test_more_rows_come_at_the_end_and_none_of_them_twice(service, visit):
    page = visit(service)
    page.goto(PAGE)
    assert shown(page) == list(range(60, 10, -1))
    come(service, 101, 102)
    page.locator(".onward").scroll_into_view_if_needed()
    page.locator(".onward").wait_for(state="detached")
    assert shown(page) == list(range(60, 0, -1))


def test_what_comes_in_is_told_of_and_moves_nothing_until_it_is_asked_for(service, visit):
    page = visit(service)
    page.goto(PAGE)
    page.get_by_text("live", exact=True).last.wait_for()
    top = page.locator("[data-row]").first.bounding_box()
    come(service, 101, 102)
    page.get_by_role("link", name="2 new sessions: show them").wait_for()
    assert page.locator("[data-row]").first.bounding_box() == top
    assert shown(page)[0] == 60
    page.get_by_role("link", name="2 new sessions: show them").click()
    page.get_by_text(str(UUID(int=102))).wait_for()
    assert shown(page)[:3] == [102, 101, 60]


def test_a_session_is_found_and_opened_by_keys_alone(service, visit):
    page = visit(service)
    page.goto(PAGE)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == str(UUID(int=59))
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.textContent") == str(UUID(int=60))
    page.keyboard.press("/")
    page.keyboard.type(f"https://crm.example/cases?session={UUID(int=7)}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PAGE}/{UUID(int=7)}")


def test_keys_that_are_in_the_way_can_be_turned_off(service, visit):
    page = visit(service)
    page.goto(PAGE)
    page.keyboard.press("?")
    page.get_by_label("These keys work in this browser").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    assert not page.get_by_role("dialog").is_visible()


def test_a_filter_shows_its_results_at_once_and_its_address_leads_to_them_again(service, visit):
    come(service, 200, end="aborted")
    page = visit(service)
    page.goto(PAGE)
    page.get_by_role("checkbox", name="aborted").check()
    page.wait_for_url("**?state=aborted")
    page.locator("[data-row]").nth(1).wait_for(state="detached")
    assert shown(page) == [200]
    assert page.evaluate("document.activeElement.value") == "aborted"
    page.reload()
    assert shown(page) == [200]
    page.go_back()
    page.locator("[data-row]").nth(1).wait_for()


def test_times_are_the_viewers_and_an_address_is_everybodys(service, visit):
    page = visit(service, **BERLIN)
    page.goto(f"{PAGE}?since=2026-01-08T08:00&state=completed")
    assert page.get_by_label("First seen from (Europe/Berlin)").input_value() == "2026-01-08T09:00"
    assert "ago" in page.locator("[data-row] time").first.inner_text()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**since=2026-01-08T08%3A00**")


@pytest.mark.parametrize(("theme", "size"), [("dark", NARROW), ("light", WIDE)], ids=["narrow", "wide"])
def test_everybody_can_use_it(service, visit, theme, size):
    page = visit(service, color_scheme=theme, viewport=size)
    page.goto(PAGE)
    page.locator(".menu summary").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_it_is_a_page_with_links_and_a_form(service, visit):
    page = visit(service, java_script_enabled=False)
    page.goto(PAGE)
    page.get_by_role("link", name="More").click()
    page.get_by_role("link", name="Back to the newest").wait_for()
    assert page.locator("[data-row]").count() == 10
    page.get_by_role("checkbox", name="aborted").check()
    page.get_by_role("button", name="Show").click()
    page.get_by_role("heading", name="No session fits").wait_for()
    assert "state=aborted" in page.url
