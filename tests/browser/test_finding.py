"""Somebody has a session's id from a ticket: they find it, and read on one page what happened to it."""

import re
import uuid

import pytest
from playwright.sync_api import expect

import forge
from house import SESSIONS


@pytest.fixture
def eventful(house):
    """A session of which the end came first, and twice, and was told; then its beginning, and what contradicts it."""
    session = house.gap()
    created, completed = forge.story(session_id=session)
    house.tell(forge.redelivered(completed), forge.redelivered(completed, 60))
    house.service.http.post(
        f"/v1/sessions/{session}/close-gap", json={"reason": "ticket"}, headers=house.bearer
    ).raise_for_status()
    house.wait_for(session, "delivered")
    house.tell(created, completed | {"eventName": "session.aborted"})
    return session


def test_a_session_is_found_from_a_pasted_url(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(SESSIONS)
    page.get_by_role("searchbox", name="Find a session").fill(f"https://crm.example/case?id=7&idnow={session}#top")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{SESSIONS}/{session}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"completed Session {session}")


def test_a_session_is_found_from_a_part_of_its_id(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(SESSIONS)
    page.get_by_role("searchbox", name="Find a session").fill(str(session)[9:28].upper())
    page.keyboard.press("Enter")
    page.locator("[data-row]").get_by_role("link", name=str(session)).click()
    page.wait_for_url(f"**{SESSIONS}/{session}")


def test_a_filter_shows_its_results_at_once_and_its_address_leads_to_them_again(house, enter):
    environment = f"filtered-{uuid.uuid4()}"
    sessions = [uuid.uuid4(), uuid.uuid4()]
    for session, end in zip(sessions, ("completed", "aborted"), strict=True):
        for number, name in enumerate(("created", end), 1):
            house.tell(forge.event(f"session.{name}", number, session, environment=environment))
    page = enter("support")
    page.goto(f"{SESSIONS}?environment={environment}")
    found = page.locator("[data-row] .row-link")
    expect(found).to_have_count(2)
    page.get_by_role("checkbox", name="aborted").check()
    page.wait_for_url("**state=aborted**")
    expect(found).to_have_text([str(sessions[1])])
    assert page.evaluate("document.activeElement.value") == "aborted"
    page.reload()
    expect(found).to_have_text([str(sessions[1])])
    page.go_back()
    expect(found).to_have_count(2)


def test_times_are_the_viewers_and_an_address_is_everybodys(house, enter):
    house.delivered()
    page = enter("support", timezone_id="Europe/Berlin", locale="en-GB")
    page.goto(f"{SESSIONS}?since=2026-01-08T08:00&state=completed")
    assert page.get_by_label("First seen from (Europe/Berlin)").input_value() == "2026-01-08T09:00"
    expect(page.locator("[data-row] time").first).to_have_text(re.compile("^(now|.* ago)$"))
    page.get_by_role("button", name="Show", exact=True).first.click()
    page.wait_for_url("**since=2026-01-08T08%3A00**")


def test_a_session_that_nobody_knows_is_said_to_be_unknown(enter):
    page, nobody = enter("support"), uuid.uuid4()
    assert page.goto(f"{SESSIONS}/{nobody}").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("No such session")
    assert page.get_by_label("Search for it").input_value() == str(nobody)


def test_a_page_that_is_not_there_says_so_and_its_keys_work(enter):
    page = enter("support")
    assert page.goto("/console/nowhere").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such thing here")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_page_tells_the_whole_story_of_a_session(eventful, enter):
    page = enter("support")
    page.goto(f"{SESSIONS}/{eventful}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(page.locator(".why")).to_contain_text("completed")
    expect(page.get_by_role("img")).to_have_accessible_name(
        "Statechart: the session is completed. It went through pending, created, completed."
    )
    timeline = page.get_by_role("region", name="All that happened")
    for said in ("arrived early", "given up on", "inferred", "delivered", "ticket"):
        expect(timeline).to_contain_text(said)
    expect(timeline.get_by_text("Signature verifies").first).to_be_visible()


def test_repeats_are_folded_under_their_event(eventful, enter):
    page = enter("support")
    page.goto(f"{SESSIONS}/{eventful}")
    folded = page.get_by_text("Delivered 2 more times")
    repeats = page.locator(".repeats li")
    expect(repeats).to_have_count(2)
    expect(repeats.first).to_be_hidden()
    folded.click()
    expect(repeats.first).to_be_visible()
    folded.click()
    expect(repeats.first).to_be_hidden()


def test_what_was_believed_when_the_callback_went_out_stands_beside_what_is_known_now(eventful, enter):
    page = enter("support")
    page.goto(f"{SESSIONS}/{eventful}")
    page.get_by_text("known otherwise").click()
    table = page.get_by_role("table").filter(has_text="Said then")
    expect(table.get_by_role("columnheader")).to_have_text(["What", "Said then", "Known now"])
    expect(table.get_by_role("row")).not_to_have_count(1)


def test_the_claims_of_an_event_are_unfolded_with_what_became_of_its_signature(eventful, enter):
    page = enter("support")
    page.goto(f"{SESSIONS}/{eventful}")
    page.get_by_text("Claims and signature").first.click()
    expect(page.locator(".claims").first).to_contain_text(f'"sessionId": "{eventful}"')
