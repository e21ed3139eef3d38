"""What an admin does about an endpoint, done in a browser and written to the trail; and whoever is none cannot."""

import pytest
from playwright.sync_api import expect

from house import ENDPOINTS
from statekeeper.receiver import verify

CALLBACKS = "/console/callbacks"
NEW = "/console/new-endpoint"
ACTS = ("enable", "disable", "ping", "rotate", "change", "delete")
TICKET = "Ticket 4711: the ledger moves"
TRY = """async ([addresses, reason]) => {
    const csrf = document.querySelector("[name=csrf]").value;
    const said = [];
    for (const address of addresses) {
        for (const wish of [{}, { method: "POST", body: new URLSearchParams({ csrf, reason }) }]) {
            said.push((await fetch(address, wish)).status);
        }
    }
    return said;
}"""
"""Opens each address, and sends there all that a page of ours would send."""


@pytest.fixture
def ledger(house):
    """An endpoint that is there."""
    return house.endpoint()


def follow(page, link: str) -> None:
    page.get_by_role("link", name=link, exact=True).click()


def say_why_and_do(page, button: str) -> None:
    page.get_by_label("Why do you do it?").fill(TICKET)
    page.get_by_role("button", name=button).click()


def standing(page, name: str):
    """What the page of the callbacks says of an endpoint."""
    return page.locator(f"[id='to-{name}']")


def heard(house, name: str):
    """The test messages that came to an endpoint."""
    return [each for each in house.crm.receiver.requests if each.json()["data"].get("endpoint") == name]


def test_an_endpoint_is_made_and_tested_and_its_secrets_are_shown_once(house, enter):
    page, name = enter("admin"), "made-by-hand"
    page.goto(CALLBACKS)
    follow(page, "Add an endpoint")
    page.get_by_label("Name").fill(name)
    page.get_by_label("URL").fill(house.crm.receiver.url)
    page.get_by_label("It is told of").select_option("none")
    say_why_and_do(page, "Add an endpoint")
    first = page.locator(".secret code").inner_text()
    follow(page, "Send a test message")
    say_why_and_do(page, "Send a test message")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} has taken the test message")
    (message,) = heard(house, name)
    assert verify(message.headers, message.body, first).type == "ping"
    page.locator("main").get_by_role("link", name="To the callbacks").click()
    follow(page, f"New secret {name}")
    say_why_and_do(page, "Give an endpoint another secret")
    second = page.locator(".secret code").inner_text()
    follow(page, "I have copied it")
    expect(standing(page, name)).to_be_visible()
    assert first != second
    assert not {each for each in (first, second) if each in page.content()}
    entries = house.trail(name)
    assert [each["act"] for each in entries] == [f"endpoint.{act}" for act in ("rotate", "ping", "create")]
    assert {(each["actor"], each["via"], each["reason"]) for each in entries} == {("ada", "console", TICKET)}


def test_an_endpoint_is_changed_disabled_enabled_and_deleted_and_the_trail_tells_it(house, ledger, enter):
    page = enter("admin")
    page.goto(CALLBACKS)
    follow(page, f"Change {ledger}")
    page.get_by_label("Attempts at once").fill("2")
    say_why_and_do(page, "Change an endpoint")
    follow(page, f"Disable {ledger}")
    say_why_and_do(page, "Disable an endpoint")
    expect(standing(page, ledger)).to_contain_text(TICKET)
    follow(page, f"Enable {ledger}")
    say_why_and_do(page, "Enable an endpoint")
    expect(standing(page, ledger)).to_contain_text("in order")
    follow(page, f"Delete {ledger}")
    say_why_and_do(page, "Delete an endpoint")
    expect(page.get_by_role("heading", name="Who is told")).to_be_visible()
    expect(standing(page, ledger)).to_have_count(0)
    page.goto(f"/console/audit?subject={ledger}")
    assert page.locator(".c-effect").all_inner_texts()[:-1] == [
        "0 callbacks that waited for it became dead",
        "State: disabled → in order",
        "State: in order → disabled",
        "Attempts at once: 8 → 2",
    ]
    assert page.locator(".c-why").all_inner_texts()[:-1] == [TICKET] * 4


def test_what_somebody_else_has_changed_meanwhile_is_shown_and_not_taken_back(house, ledger, enter):
    page, there = enter("admin"), f"/v1/endpoints/{ledger}"
    page.goto(f"{ENDPOINTS}/{ledger}/change")
    house.service.http.patch(there, json={"environments": ["live"]}, headers=house.bearer).raise_for_status()
    page.get_by_label("Attempts at once").fill("2")
    say_why_and_do(page, "Change an endpoint")
    expect(page.get_by_role("alert")).to_contain_text("somebody has changed the endpoint meanwhile")
    expect(page.get_by_label("Only these environments")).to_have_value("live")
    expect(page.get_by_label("Attempts at once")).to_have_accessible_description(
        "1 to 256; empty for 8. You had said: 2"
    )
    page.get_by_label("Attempts at once").fill("2")
    page.get_by_role("button", name="Change an endpoint").click()
    page.wait_for_url(f"**{CALLBACKS}#to-{ledger}")
    view = house.ask(there)
    assert (view["environments"], view["concurrency"]) == (["live"], 2)


def test_support_sees_no_way_to_and_is_refused_at_each_address(house, ledger, enter):
    page = enter("support")
    page.goto(CALLBACKS)
    expect(standing(page, ledger)).to_be_visible()
    assert page.locator(f"main a[href^='{ENDPOINTS}'], main a[href='{NEW}']").count() == 0
    addresses = [NEW, *(f"{ENDPOINTS}/{ledger}/{act}" for act in ACTS)]
    assert page.evaluate(TRY, [addresses, TICKET]) == [403] * 2 * len(addresses)
    page.goto(NEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("That is not allowed")
    assert [each["act"] for each in house.trail(ledger)] == ["endpoint.create"]
