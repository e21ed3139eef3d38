"""Nothing on a page moves by itself while somebody reads it."""

import uuid

import pytest
from playwright.sync_api import expect

import forge
from house import SESSIONS

WATCH = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => { window.shifted += entry.value }))
    .observe({ type: "layout-shift", buffered: true });"""
BARELY = 0.01


def watched(page):
    page.add_init_script(WATCH)
    return page


def shifted(page) -> float:
    """What has moved so far, once the browser has drawn twice."""
    return page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(window.shifted))))"
    )


@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_moves_while_a_page_is_opened(house, enter, width):
    session = house.delivered()
    page = watched(enter("support", viewport={"width": width, "height": 900}))
    for path in (SESSIONS, f"{SESSIONS}/{session}", "/console/overview", "/console/callbacks", "/console/audit"):
        page.goto(path, wait_until="load")
        expect(page.locator("main")).to_be_visible()
        assert shifted(page) < BARELY, path
        (paint,) = page.evaluate("performance.getEntriesByName('first-contentful-paint').map(each => each.startTime)")
        assert paint > 0


def test_what_comes_in_moves_nothing_in_a_list_until_it_is_asked_for(house, enter):
    oldest = house.gap()
    page = watched(enter("support"))
    page.goto(SESSIONS)
    expect(page.get_by_text("live", exact=True)).to_be_attached()
    place = page.locator("[data-row]").first.bounding_box()
    for count in (1, 2, 3):
        house.gap()
        expect(page.locator(".news")).to_contain_text(f"{count} new session")
    assert page.locator("[data-row]").first.bounding_box() == place
    assert shifted(page) < BARELY
    page.get_by_role("link", name="3 new sessions: show them").click()
    expect(page.locator("[data-row] .row-link").nth(3)).to_have_text(str(oldest))


def test_a_list_does_not_jump_when_sessions_come_in_while_somebody_pages(house, enter):
    environment = f"paging-{uuid.uuid4()}"
    sessions = [uuid.uuid4() for _ in range(60)]
    for each in sessions:
        house.tell(forge.event("session.created", 1, each, environment=environment))
    page = watched(enter("support"))
    page.goto(f"{SESSIONS}?environment={environment}")
    row = page.locator("[data-row]").nth(40)
    row.scroll_into_view_if_needed()
    text, place = row.locator(".row-link").inner_text(), row.bounding_box()
    for _ in range(3):
        house.tell(forge.event("session.created", 1, uuid.uuid4(), environment=environment))
    expect(page.locator(".news")).to_contain_text("3 new sessions")
    assert (row.locator(".row-link").inner_text(), row.bounding_box()) == (text, place)
    page.locator(".onward").scroll_into_view_if_needed()
    expect(page.locator(".onward")).to_have_count(0)
    shown = page.locator("[data-row] .row-link").all_inner_texts()
    assert shown == [str(each) for each in reversed(sessions)]
    assert shifted(page) < BARELY


def test_a_page_that_goes_on_by_itself_leaves_what_stands_above_where_it_is(house, enter):
    session = house.delivered()
    page = watched(enter("support"))
    page.goto(f"{SESSIONS}/{session}")
    heading = page.get_by_role("heading", level=1)
    place = heading.bounding_box()
    house.service.http.post(f"/v1/sessions/{session}/notes", json={"text": "hello"}, headers=house.bearer)
    expect(page.locator(".moment").filter(has_text="hello")).to_be_attached()
    assert heading.bounding_box() == place
    assert shifted(page) < BARELY


def test_what_somebody_has_unfolded_and_where_they_are_stays_when_a_page_goes_on_by_itself(house, enter):
    session = house.delivered()
    page = enter("support")
    page.goto(f"{SESSIONS}/{session}")
    page.get_by_text("1 attempt", exact=True).click()
    page.locator("#claims-1 summary").click()
    page.evaluate("window.scrollTo(0, 400)")
    page.locator("#claims-1 summary").focus()
    resend = f"/v1/callbacks/{house.callback(session)}/resend"
    house.service.http.post(resend, json={"reason": "lost"}, headers=house.bearer).raise_for_status()
    expect(page.get_by_text("2 attempts", exact=True)).to_be_visible()
    unfolded = page.locator("details[open]").evaluate_all("all => all.map(each => each.id.slice(0, 8))")
    assert unfolded == ["attempts", "claims-1"]
    assert page.evaluate("document.activeElement.parentElement.id") == "claims-1"
    assert page.evaluate("scrollY") > 300


def test_a_page_that_cannot_go_on_says_since_when_it_stands_still_until_it_goes_on(house, enter):
    session = house.delivered()
    page = enter("support")
    stale = page.get_by_text("This page has stood still since")
    page.route("**/live", lambda route: route.fulfill(status=503))
    page.goto(f"{SESSIONS}/{session}")
    expect(stale).to_be_visible()
    page.unroute("**/live")
    expect(stale).to_be_hidden()
    house.service.http.post(f"/v1/sessions/{session}/notes", json={"text": "hello"}, headers=house.bearer)
    expect(page.locator(".moment").filter(has_text="hello")).to_be_attached()


def test_a_list_that_was_live_is_so_no_more_where_its_stream_breaks_off(enter):
    page, once = enter("support"), {"content_type": "text/event-stream", "body": "retry: 1\ndata: <b>was live</b>\n\n"}
    page.route("**/sessions/live?**", lambda route: route.fulfill(**once))
    page.goto(SESSIONS)
    expect(page.get_by_text("was live")).to_be_attached()
    page.route("**/sessions/live?**", lambda route: route.fulfill(status=503))
    expect(page.get_by_text("This page has stood still since")).to_be_visible()
    page.unroute("**/sessions/live?**")
    expect(page.get_by_text("This page has stood still since")).to_be_hidden()
    expect(page.get_by_text("live", exact=True)).to_be_attached()


def test_a_page_that_is_open_shows_nothing_more_once_somebody_is_signed_out_elsewhere(house, enter):
    page, elsewhere = enter("support"), house.delivered()
    once = {"content_type": "text/event-stream", "body": "retry: 1\n\n"}
    page.route("**/live", lambda route: route.fulfill(**once), times=1)
    page.goto(f"{SESSIONS}/{elsewhere}")
    house.service.sql("DELETE FROM sign_ins")
    page.wait_for_url(f"**/console/sign-in?next={SESSIONS}/{elsewhere}")


def test_a_page_goes_on_by_itself_however_late_the_script_comes_that_has_it_do_so(house, enter):
    page, held = enter("support"), []
    page.route("**/hx-sse-*", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright takes no builtin
    with page.expect_request("**/hx-sse-*"):
        page.goto(SESSIONS, wait_until="commit")
    while page.evaluate("typeof htmx") == "undefined" or not held:
        page.evaluate("new Promise(done => setTimeout(done))")
    page.evaluate("new Promise(done => setTimeout(done))")
    held[0].continue_()
    expect(page.get_by_text("live", exact=True)).to_be_attached()
