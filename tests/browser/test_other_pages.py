"""A page of somebody else, opened by whoever is signed in: it can neither act, nor read, nor frame the console.

It lies once on another site (`localhost`, where the console is `127.0.0.1`), to which no cookie goes along, and once on
the same site at another port, to which all of them do.
"""

import pytest
from playwright.sync_api import expect

from house import SESSIONS
from receiver import Answer, receiving

HTML = {"content-type": "text/html"}
FORM = """<!doctype html><title>won</title><form method="post" action="{target}">
<input name="reason" value="forged"><input name="csrf" value="guessed"></form>
<script>document.forms[0].submit()</script>"""
FETCH = """async targets => {
    const said = [];
    for (const target of targets) {
        for (const type of ["application/x-www-form-urlencoded", "text/plain"]) {
            const body = new Blob(["reason=forged&csrf="], { type });
            const wish = { method: "POST", body, credentials: "include", mode: "no-cors" };
            said.push(await fetch(target, wish).then(answer => answer.type, () => "refused"));
        }
    }
    return said;
}"""
READ = "url => fetch(url, { credentials: 'include' }).then(answer => answer.text(), () => 'refused')"


@pytest.fixture(params=["localhost", "127.0.0.1"], ids=["another-site", "another-port"])
def evil(request):
    """Where a page of somebody else lies; what it says is put into `page.answer` by each test."""
    said = {"html": ""}
    with receiving(otherwise=lambda _: Answer(200, HTML, said["html"].encode())) as receiver:
        said["url"] = f"http://{request.param}:{receiver.port}/"
        yield said


@pytest.fixture
def victim(house, visit):
    """A page of somebody who may act, and is signed in."""
    page = house.let_in(visit(house.service, watched=False), "support")
    page.goto(SESSIONS)
    expect(page.locator("#results")).to_be_visible()
    return page


def targets(house, session) -> list[str]:
    root = f"http://127.0.0.1:{house.service.port}"
    return [f"{root}/console/callbacks/{house.callback(session)}/retry", f"{root}{SESSIONS}/{session}/note"]


def test_a_form_that_sends_itself_changes_nothing(house, evil, victim):
    session = house.dead_letter()
    for target in targets(house, session):
        evil["html"] = FORM.format(target=target)
        with victim.expect_response(target) as answered:
            victim.goto(evil["url"], wait_until="commit")
        assert answered.value.status == 403
        expect(victim.get_by_role("heading", level=1)).to_have_text("That is not allowed")
    assert_untouched(house, session)


def test_a_script_that_sends_what_a_form_would_changes_nothing(house, evil, victim):
    session = house.dead_letter()
    victim.goto(evil["url"])
    assert set(victim.evaluate(FETCH, targets(house, session))) <= {"opaque", "refused"}
    assert_untouched(house, session)


def test_nothing_can_be_read_from_another_page(house, evil, victim):
    session = house.delivered()
    victim.goto(evil["url"])
    assert victim.evaluate(READ, f"http://127.0.0.1:{house.service.port}{SESSIONS}/{session}") == "refused"


def test_the_console_is_shown_in_no_frame(house, evil, victim):
    evil["html"] = f"<iframe src='http://127.0.0.1:{house.service.port}{SESSIONS}'></iframe>"
    with victim.expect_event("console", lambda said: "frame" in said.text.lower() and said.type == "error"):
        victim.goto(evil["url"])
    (frame,) = victim.frames[1:]
    assert frame.locator("#results").count() == 0


def test_the_same_is_done_for_whoever_asks_on_a_page_of_ours(house, victim):
    session = house.dead_letter()
    victim.goto(f"/console/callbacks/{house.callback(session)}/retry")
    victim.get_by_label("Why do you do it?").fill("meant")
    victim.get_by_role("button", name="Try a callback again now").click()
    expect(victim.locator(".moment:target")).to_contain_text("meant")
    assert [each["reason"] for each in house.audit(session)] == ["meant"]


def test_a_form_of_ours_with_anothers_secret_is_refused(house, victim, enter):
    session = house.dead_letter()
    other = enter("support")
    other.goto(SESSIONS)
    victim.goto(f"{SESSIONS}/{session}/note")
    stolen = other.locator("[name=csrf]").first.input_value()
    victim.evaluate("stolen => document.querySelectorAll('[name=csrf]').forEach(each => each.value = stolen)", stolen)
    victim.get_by_label("What do you want to say?").fill("forged")
    victim.get_by_role("button", name="Add a note").click()
    expect(victim.get_by_text("This form is not of your sign-in, or too old.")).to_be_visible()
    assert_untouched(house, session)


def assert_untouched(house, session) -> None:
    assert house.audit(session) == []
    assert len(house.crm.heard(session)) == 1
