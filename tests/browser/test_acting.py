"""What support may do, done in a browser, and seen to arrive by whoever looks on."""

import pytest
from playwright.sync_api import expect

import forge
from house import SESSIONS

TICKET = "Ticket 4711: the CRM is back"
TWO_CLICKS = """() => {
    let sent = 0;
    document.addEventListener("submit", event => { sent += !event.defaultPrevented });  // behind that of the page
    for (const click of [1, 2]) document.getElementById("reason").form.requestSubmit();
    return sent;
}"""


def address(session) -> str:
    return f"{SESSIONS}/{session}"


@pytest.fixture
def dead(house):
    """A session that was told to nobody; the subscriber would listen by now."""
    session = house.dead_letter()
    del house.crm.broken[session]
    return session


def test_a_dead_callback_is_retried_with_a_reason_and_arrives_before_ones_eyes(house, dead, enter):
    onlooker, page = enter("reader"), enter("support")
    onlooker.goto(address(dead))
    onlooker.evaluate("window.loaded = 'once'")
    page.goto(address(dead))
    page.get_by_role("link", name="Try crm again now").click()
    expect(page.get_by_role("group", name="What would go out")).to_contain_text(house.callback(dead))
    page.get_by_label("Why do you do it?").fill(TICKET)
    page.get_by_role("button", name="Try a callback again now").click()
    expect(page.locator(".moment:target")).to_contain_text(TICKET)
    for each in (page, onlooker):
        expect(each.locator(".callback--delivered")).to_be_visible()
    assert onlooker.evaluate("window.loaded") == "once"
    first, second = house.crm.heard(dead)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (entry,) = house.audit(dead)
    assert (entry["actor"], entry["act"], entry["via"], entry["reason"]) == ("sam", "callback.retry", "console", TICKET)


def test_a_dead_callback_is_retried_by_keys_alone(house, dead, enter):
    page = enter("support")
    page.goto(address(dead))
    press_tab_until(page, "Try crm again now")
    page.keyboard.press("Enter")
    page.wait_for_url("**/retry")
    expect(page.get_by_label("Why do you do it?")).to_be_focused()
    page.keyboard.type(TICKET)
    press_tab_until(page, "Try a callback again now")
    page.keyboard.press("Enter")
    expect(page.locator(".callback--delivered")).to_be_visible()
    assert [each["reason"] for each in house.audit(dead)] == [TICKET]


def test_without_a_reason_nothing_happens(house, dead, enter):
    page = enter("support")
    page.goto(f"/console/callbacks/{house.callback(dead)}/retry")
    page.get_by_role("button", name="Try a callback again now").click()
    assert page.url.endswith("/retry")
    assert page.get_by_label("Why do you do it?").evaluate("field => field.validity.valueMissing")
    for empty in ("   ", "\u2003"):
        page.get_by_label("Why do you do it?").fill(empty)
        page.get_by_role("button", name="Try a callback again now").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    assert house.audit(dead) == []
    assert len(house.crm.heard(dead)) == 1


def test_a_delivered_callback_is_sent_again_under_the_same_id(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(address(session))
    page.get_by_role("link", name="Send to crm again").click()
    page.get_by_label("Why do you do it?").fill("They lost it")
    page.get_by_role("button", name="Send a delivered callback again").click()
    expect(page.get_by_text("Attempt 2 delivered the callback to crm.")).to_be_visible()
    first, second = house.crm.heard(session)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [each["act"] for each in house.audit(session)] == ["callback.resend"]


def test_a_gap_is_closed_once_it_was_shown_what_that_would_do(house, enter):
    session = house.gap()
    page = enter("support")
    page.goto(address(session))
    expect(page.get_by_role("heading", level=1)).to_contain_text("pending")
    page.get_by_role("link", name="Close the gap now").click()
    expect(page.locator(".planned")).to_contain_text("inferred")
    expect(page.get_by_role("group", name="What would go out")).to_contain_text("crm")
    assert house.history(session)["callbacks"] == []
    page.get_by_label("Why do you do it?").fill("It will not come any more")
    page.get_by_role("button", name="Close the gap now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    expect(page.locator(".callback--delivered")).to_be_visible()
    assert [each["act"] for each in house.audit(session)] == ["session.close_gap"]


def test_a_gap_that_has_closed_meanwhile_is_not_closed_again(house, enter):
    session = house.gap()
    page = enter("support")
    page.goto(f"{address(session)}/close-gap")
    house.tell(forge.story(session_id=session)[0])
    page.get_by_label("Why do you do it?").fill("Too late")
    page.get_by_role("button", name="Close the gap now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no gap any more")
    assert house.audit(session) == []


def test_a_note_appears_on_the_page_of_whoever_looks_on(house, enter):
    session = house.delivered()
    onlooker, page = enter("admin"), enter("support")
    onlooker.goto(address(session))
    page.goto(f"{address(session)}/note")
    page.get_by_label("What do you want to say?").fill("She called\nand will call again")
    assert page.evaluate(TWO_CLICKS) == 1
    expect(page.locator(".moment:target")).to_be_visible()
    for each in (page, onlooker):
        expect(each.locator(".moment").filter(has_text="She called")).to_contain_text("sam")


def press_tab_until(page, name: str) -> None:
    """Walk on by keys to what is called so; each stop on the way must be seen to have the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [at.textContent.trim(), at.matches(':focus-visible'),"
            " style.outlineStyle !== 'none' || style.boxShadow !== 'none'] })()"
        )
        assert seen[1:] == [True, True], seen
        if seen[0] == name:
            return
    raise AssertionError(f"no key leads to {name}")
