"""Whoever's role does not allow it sees no way to act, nothing that was claimed, and is refused at every door."""

import pytest
from playwright.sync_api import expect

from house import SESSIONS

ANSWER = b"answer-of-the-crm"


@pytest.fixture(scope="module")
def dead(house):
    """A session with an answer of an endpoint, and a note, that a reader is not to see."""
    session = house.dead_letter(ANSWER)
    note = house.service.http.post(
        f"/v1/sessions/{session}/notes", json={"text": "her mother called"}, headers=house.bearer
    )
    note.raise_for_status()
    return session


def doors(house, session) -> list[str]:
    callback = house.callback(session)
    acts = [f"/console/callbacks/{callback}/{act}" for act in ("retry", "resend")]
    return [*acts, f"{SESSIONS}/{session}/note", f"{SESSIONS}/{session}/close-gap"]


def test_a_reader_sees_what_happened_and_no_way_to_act(house, dead, enter):
    page = enter("reader")
    page.goto(f"{SESSIONS}/{dead}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    assert page.locator("main .acts, main a[href$='/retry'], main a[href$='/note'], main form").count() == 0


def test_a_reader_sees_nothing_that_was_claimed_answered_or_written(house, dead, enter):
    seen = {}
    for role in ("reader", "support"):
        page = enter(role)
        page.goto(f"{SESSIONS}/{dead}")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        seen[role] = page.content() + page.request.get(f"{SESSIONS}/{dead}").text()
    for secret in (ANSWER.decode(), "her mother called", "eventDeliverId"):
        assert secret not in seen["reader"]
    for shown in (ANSWER.decode(), "her mother called", "eventDeliverId"):
        assert shown in seen["support"]


def test_a_reader_is_refused_at_the_address_of_an_act(house, dead, enter):
    page = enter("reader")
    for door in doors(house, dead):
        assert page.goto(door).status == 403, door
        expect(page.get_by_role("heading", level=1)).to_have_text("That is not allowed")


def test_a_reader_who_forges_the_form_of_an_act_is_refused(house, dead, enter):
    page = enter("reader")
    page.goto(f"{SESSIONS}/{dead}")
    for door in doors(house, dead):
        assert forge_form(page, door) == 403, door
    assert [each["act"] for each in house.audit(dead)] == ["session.note"]
    assert len(house.crm.heard(dead)) == 1


def test_the_same_form_is_taken_from_support(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(f"{SESSIONS}/{session}")
    assert forge_form(page, f"{SESSIONS}/{session}/note") == 200
    assert [each["reason"] for each in house.audit(session)] == ["forged"]


def forge_form(page, door: str) -> int:
    """Send an act with all that a page of ours would send, the secret of the sign-in too."""
    return page.evaluate(
        """async door => {
            const csrf = document.querySelector("[name=csrf]").value;
            const body = new URLSearchParams({ csrf, reason: "forged", expected: "1" });
            return (await fetch(door, { method: "POST", body })).status;
        }""",
        door,
    )
