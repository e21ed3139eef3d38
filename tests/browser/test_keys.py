"""By keys alone: everything is reached, the focus is seen, and is not lost when a page goes on by itself."""

import pytest
from playwright.sync_api import expect

import forge
from house import SESSIONS

FOCUSED = "document.activeElement.textContent.trim()"


@pytest.fixture
def found(house, enter):
    """The page with three sessions and more."""
    for _ in range(3):
        house.gap()
    page = enter("support")
    page.goto(SESSIONS)
    expect(page.locator("[data-row]").nth(2)).to_be_visible()
    return page


def test_arrows_move_along_the_rows_and_enter_opens_one(found):
    rows = found.locator("[data-row] .row-link").all_inner_texts()
    for key, at in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1)):
        found.keyboard.press(key)
        assert found.evaluate(FOCUSED) == rows[at]
    assert found.evaluate("document.activeElement.matches(':focus-visible')")
    found.keyboard.press("Enter")
    found.wait_for_url(f"**{SESSIONS}/{rows[1]}")


def test_a_slash_leads_to_the_search_and_escape_out_of_it(found):
    found.keyboard.press("/")
    expect(found.get_by_role("searchbox", name="Find a session")).to_be_focused()
    found.keyboard.type("a/b?")
    assert found.get_by_role("searchbox", name="Find a session").input_value() == "a/b?"
    expect(found.get_by_role("dialog")).to_be_hidden()
    found.keyboard.press("Escape")
    expect(found.get_by_role("searchbox", name="Find a session")).not_to_be_focused()


def test_a_question_mark_shows_the_keys_and_escape_closes_them_where_one_was(found):
    found.keyboard.press("ArrowDown")
    row = found.evaluate(FOCUSED)
    found.keyboard.press("?")
    expect(found.get_by_role("dialog", name="Keys")).to_be_visible()
    found.keyboard.press("Escape")
    expect(found.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert found.evaluate(FOCUSED) == row


def test_keys_that_are_in_the_way_can_be_turned_off(found):
    found.keyboard.press("?")
    found.get_by_label("These keys work in this browser").uncheck()
    found.keyboard.press("Escape")
    found.reload()
    found.keyboard.press("?")
    expect(found.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_first_stop_leads_past_the_head_of_a_page(found):
    found.keyboard.press("Tab")
    assert found.evaluate(FOCUSED) == "To the content"
    assert found.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    found.keyboard.press("Enter")
    assert found.evaluate("document.activeElement.id") == "main"


def test_the_focus_stays_where_it_is_when_a_page_goes_on_by_itself(house, enter):
    session = house.gap()
    page = enter("support")
    page.goto(f"{SESSIONS}/{session}")
    note = page.get_by_role("link", name="Add a note")
    note.focus()
    page.evaluate("window.before = document.activeElement")
    house.tell(forge.story(session_id=session)[0])
    expect(page.locator(".callback--delivered")).to_be_visible()
    expect(note).to_be_focused()
    assert page.evaluate("window.before === document.activeElement")


def test_an_open_menu_is_closed_by_escape_and_gives_the_focus_back(found):
    summary = found.locator(".menu summary")
    summary.focus()
    found.keyboard.press("Enter")
    found.keyboard.press("Tab")
    expect(found.get_by_role("button", name="Deutsch")).to_be_visible()
    found.keyboard.press("Escape")
    expect(found.get_by_role("button", name="Deutsch")).to_be_hidden()
    expect(summary).to_be_focused()
