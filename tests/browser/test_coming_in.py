"""Signing in and out in a real browser: to the provider and back, or by a token; and what is left of it afterwards."""

import pytest
from playwright.sync_api import expect

from house import SESSIONS, TOKENS

SIGN_IN = "**/console/sign-in**"


@pytest.fixture
def provider(house):
    """The provider; whoever comes is asked who they are, and is of the support."""
    person = dict(house.provider.person)
    house.provider.consents = False
    yield house.provider
    house.provider.person, house.provider.consents = person, True


def come_in(page, goal: str, name: str) -> None:
    """Ask for a page, and go to the provider and back for it."""
    page.goto(goal)
    page.wait_for_url(SIGN_IN)
    page.get_by_role("link", name="Sign in with your account").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page) -> None:
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()


def test_somebody_goes_to_the_provider_and_comes_back_to_the_page_they_wanted(house, provider, visit):
    session = house.delivered()
    page = visit(house.service)
    come_in(page, f"{SESSIONS}/{session}", "marta")
    page.wait_for_url(f"**{SESSIONS}/{session}")
    expect(page.locator(".menu summary")).to_contain_text("marta")
    expect(page.get_by_role("link", name="Add a note")).to_be_visible()
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize(("claimed", "may_act"), [(["statekeeper-reader"], False), (["statekeeper-admin"], True)])
def test_what_somebody_may_do_is_what_the_providers_claim_says(house, provider, visit, claimed, may_act):
    session = house.delivered()
    provider.person = provider.person | {"roles": claimed}
    page = visit(house.service)
    come_in(page, f"{SESSIONS}/{session}", "marta")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    assert page.get_by_role("link", name="Add a note").is_visible() is may_act


def test_somebody_without_a_role_is_told_what_would_give_them_one(house, provider, visit):
    provider.person = provider.person | {"roles": ["cleaning"]}
    page = visit(house.service)
    come_in(page, SESSIONS, "marta")
    expect(page.get_by_role("alert")).to_contain_text("You are known as marta, but have no role here")
    page.goto(SESSIONS)
    page.wait_for_url(SIGN_IN)


def test_signing_out_ends_it_at_the_provider_too_and_going_back_shows_nothing(house, provider, visit):
    session = house.delivered()
    page = visit(house.service)
    come_in(page, f"{SESSIONS}/{session}", "marta")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    ended = len(provider.sessions_ended)
    sign_out(page)
    page.wait_for_url(SIGN_IN)
    assert len(provider.sessions_ended) == ended + 1
    page.goto("about:blank")
    for _ in range(3):
        page.go_back()
        expect(page.locator("body")).not_to_contain_text(str(session))


def test_a_page_that_was_looked_at_before_signing_out_is_not_shown_by_the_back_button(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(f"{SESSIONS}/{session}")
    page.goto(SESSIONS)
    page.request.post("/console/sign-out", form={"csrf": page.locator("[name=csrf]").first.input_value()})
    page.go_back()
    page.wait_for_url(SIGN_IN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_token_is_pasted_once_and_left_nowhere(house, visit):
    page = visit(house.service)
    page.goto(f"{SESSIONS}?state=aborted")
    page.get_by_label("Token").fill(f"  {TOKENS['support']}\n")
    page.get_by_role("button", name="Sign in with a token").click()
    page.wait_for_url("**/console/sessions?state=aborted")
    assert TOKENS["support"] not in page.content() + str(page.context.cookies()) + house.service.log.read_text()
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    page.goto(SESSIONS)
    page.wait_for_url(SIGN_IN)


def test_a_token_that_nobody_has_opens_nothing(house, visit):
    page = visit(house.service)
    page.goto("/console/sign-in")
    page.get_by_label("Token").fill("token-of-nobody")
    page.get_by_role("button", name="Sign in with a token").click()
    expect(page.get_by_role("alert")).to_contain_text("This token is not known here")
    page.goto(SESSIONS)
    page.wait_for_url(SIGN_IN)


def test_whoever_was_away_for_too_long_signs_in_again(house, enter):
    page = enter("support")
    page.goto(SESSIONS)
    expect(page.locator("#results")).to_be_visible()
    house.service.sql("UPDATE sign_ins SET seen_at = datetime(seen_at, '-31 minutes')")
    page.reload()
    page.wait_for_url("**/console/sign-in?next=/console/sessions")


def test_the_cookie_is_for_this_host_alone_and_for_no_script(enter):
    page = enter("support")
    page.goto(SESSIONS)
    (cookie,) = [each for each in page.context.cookies() if each["name"] == "__Host-statekeeper"]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    assert page.evaluate("document.cookie") == ""
