"""A browser that runs no script: what can be read and done there is nearly everything."""

import uuid

import pytest
from playwright.sync_api import expect

import forge
from house import SESSIONS, TOKENS


@pytest.fixture
def page(house, visit):
    """Somebody signs in without a script, too."""
    page = visit(house.service, java_script_enabled=False)
    page.goto(SESSIONS)
    page.get_by_label("Token").fill(TOKENS["support"])
    page.get_by_role("button", name="Sign in with a token").click()
    expect(page.get_by_role("region", name="Sessions found")).to_be_visible()
    return page


def test_a_list_is_filtered_and_paged_by_links(house, page):
    environment = f"plain-{uuid.uuid4()}"
    sessions = [uuid.uuid4() for _ in range(51)]
    for each in sessions:
        house.tell(forge.event("session.created", 1, each, environment=environment))
    page.reload()
    page.get_by_label("Environment").select_option(environment)
    page.get_by_role("checkbox", name="created").check()
    page.get_by_role("button", name="Show", exact=True).first.click()
    expect(page.locator("[data-row]")).to_have_count(50)
    page.get_by_role("link", name="More").click()
    expect(page.locator("[data-row] .row-link")).to_have_text([str(sessions[0])])
    page.get_by_role("link", name="Back to the newest").click()
    expect(page.locator("[data-row]")).to_have_count(50)


def test_a_dead_callback_is_retried_with_a_reason(house, page):
    session = house.dead_letter()
    del house.crm.broken[session]
    page.get_by_role("searchbox", name="Find a session").fill(str(session))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    page.get_by_role("link", name="Try crm again now").click()
    page.get_by_label("Why do you do it?").fill("no script here")
    page.get_by_role("button", name="Try a callback again now").click()
    expect(page.locator(".moment:target")).to_contain_text("no script here")
    house.wait_for(session, "delivered")
    page.reload()
    expect(page.locator(".callback--delivered")).to_be_visible()


def test_somebody_signs_out(page):
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
