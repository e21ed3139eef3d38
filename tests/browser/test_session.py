"""The page of a session in a real browser: it goes on by itself, keeps one's place, and everybody can use it."""

import uuid

import pytest
from playwright.sync_api import expect

import forge
from receiver import Answer, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SESSION = uuid.UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
PAGE = f"/console/sessions/{SESSION}"
HOSTILE = "session.<img src=x onerror=alert(1)>"


@pytest.fixture
def story(serving):
    """A service with a session that much befell: a gap, repeats, what came late, a conflict, and a dead callback.

    The second answer of whom the callback is for is the first good one.
    """
    with receiving(Answer(503, body=b"<b>full</b>")) as crm:
        endpoints = [{"name": "crm", "url": crm.url, "secrets": [SECRET]}]
        service = serving(endpoints=endpoints, ordering={"gap_timeout": 0}, delivery={"schedule": [0]})
        created, completed = forge.story(1, session_id=SESSION)
        conflict = completed | {"eventName": "session.aborted"}
        hostile = forge.event(HOSTILE, 3, SESSION)
        for event in (completed, forge.redelivered(completed), created, conflict, hostile):
            assert service.post(forge.token(event)).status_code == 200
        service.wait_until(lambda: statuses(service) == ["dead"])
        yield service


def statuses(service) -> list[str]:
    history = service.http.get(f"/v1/sessions/{SESSION}/history").json()
    return [each["status"] for each in history["callbacks"]]


def test_a_dead_callback_is_retried_and_seen_to_arrive(story, visit):
    page = visit(story)
    page.goto(PAGE)
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    watching = visit(story)
    watching.goto(PAGE)
    watching.get_by_text("1 attempt", exact=True).click()
    watching.locator("#claims-1 summary").click()
    watching.evaluate("window.scrollTo(0, 400)")
    watching.locator("#claims-1 summary").focus()
    page.get_by_role("link", name="Try crm again now").click()
    page.get_by_label("Why do you do it?").fill("Ticket 4711")
    page.get_by_role("button", name="Try a callback again now").click()
    expect(page.locator(".moment:target")).to_contain_text("Ticket 4711")
    for each in (page, watching):
        expect(each.locator(".callback--delivered")).to_be_visible()
        expect(each.get_by_text("Attempt 2 delivered the callback to crm.")).to_be_visible()
    expect(watching.get_by_text("2 attempts", exact=True)).to_be_visible()
    assert watching.locator("details[open]").evaluate_all("all => all.map(each => each.id.slice(0, 8))") == [
        "attempts",
        "claims-1",
    ]
    assert watching.evaluate("document.activeElement.parentElement.id") == "claims-1"
    assert watching.evaluate("scrollY") > 300


def test_it_is_read_and_acted_on_without_a_script(story, visit):
    page = visit(story, java_script_enabled=False)
    page.goto(PAGE)
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    page.get_by_role("link", name="Add a note").click()
    page.get_by_label("What do you want to say?").fill("She called")
    page.get_by_role("button", name="Add a note").click()
    expect(page.locator(".moment:target")).to_contain_text("She called")
