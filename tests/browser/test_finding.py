"""Somebody has a session's id from a ticket: they find it, and read on one page what happened to it."""

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


def test_a_session_that_nobody_knows_is_said_to_be_unknown(enter):
    page, nobody = enter("support"), uuid.uuid4()
    assert page.goto(f"{SESSIONS}/{nobody}").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("No such session")
    assert page.get_by_label("Search for it").input_value() == str(nobody)


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
