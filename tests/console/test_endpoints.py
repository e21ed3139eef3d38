"""What an admin does about an endpoint on pages: told beforehand, with a reason, and written to the trail."""

import re
from html.parser import HTMLParser

import pytest

from happenings import endpoint, in_text, seen, signed_in
from receiver import Answer, Receiver

PAGE = "/console/callbacks"
WHY = "Ticket 4711: <b>they asked</b>"
KEY = "4Vtyx4xPNwF3CkUzQGmzj2h1GLZqBdbYyhe6cVd0Qx4="
NEW = "/console/new-endpoint"
_SEEN = re.compile(r'name="seen" value="([^"]+)"')
_SECRET = re.compile(r"<code>(whsec_[^<]+)</code>")


def act(name: str, deed: str) -> str:
    return f"/console/endpoints/{name}/{deed}"


@pytest.fixture
async def crm():
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def service(serving, tokens, crm):
    async with serving(tokens=tokens, endpoints=[endpoint(crm)], encryption_keys=[KEY]) as service:
        yield service


@pytest.fixture
async def admin(service):
    async with signed_in(service, "admin") as person:
        yield person


class Typed(HTMLParser):
    """The fields of a page's forms, as a browser would send them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._area = self._choice = ""
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "input" and said.get("name"):
            self.fields[said["name"]] = said.get("value") or ""
        elif tag == "textarea":
            self._area, self.fields[said["name"]] = said["name"], ""
        elif tag == "select":
            self._choice = said["name"]
        elif tag == "option" and "selected" in said:
            self.fields[self._choice] = said["value"]

    def handle_data(self, data):
        if self._area:
            self.fields[self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = ""


async def trail(person) -> list[dict]:
    return (await person.get("/v1/audit")).json()["items"]


async def make(admin, crm, name: str = "ledger") -> str:
    """Another endpoint, made on a page; returns its secret."""
    answer = await admin.act(NEW, name=name, url=crm.url.replace("http://", "https://crm.example/"), reason=WHY)
    assert answer.status_code == 200, answer.text
    return _SECRET.search(answer.text)[1]


async def test_an_endpoint_is_disabled_and_enabled_for_a_reason(admin):
    assert "Nothing goes out to crm until somebody enables it" in await seen(admin, act("crm", "disable"))
    answer = await admin.act(act("crm", "disable"), reason=WHY)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}#to-crm")
    page = await admin.get(PAGE)
    assert "disabled" in page.text
    assert "Ticket 4711: &lt;b&gt;they asked" in page.text
    assert act("crm", "enable") in page.text
    await admin.act(act("crm", "enable"), reason="It is up")
    assert "crm in order" in await seen(admin, PAGE)
    enabled, disabled = await trail(admin)
    assert (enabled["act"], enabled["reason"], enabled["via"]) == ("endpoint.enable", "It is up", "console")
    assert (disabled["act"], disabled["reason"], disabled["subject"]) == ("endpoint.disable", WHY, "crm")


async def test_what_was_so_before_is_shown_to_nobody_after_an_act(service, admin):
    shared = service.app.state.wiring.shared

    async def before() -> str:
        return "before"

    async def after() -> str:
        return "after"

    assert await shared.get("standings", before) == "before"
    await admin.act(act("crm", "disable"), reason=WHY)
    assert await shared.get("standings", after) == "after"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\x00b"])
async def test_without_a_reason_that_can_be_read_nothing_is_done(admin, reason):
    answer = await admin.act(act("crm", "disable"), reason=reason)
    assert answer.status_code == 422
    assert "Nothing was done." in answer.text
    assert await trail(admin) == []


@pytest.mark.parametrize("deed", ["enable", "disable", "ping", "rotate", "change", "delete"])
async def test_whoever_is_no_admin_may_neither_act_nor_look(service, deed):
    async with signed_in(service, "support") as person:
        assert (await person.get(act("crm", deed))).status_code == 403
        assert (await person.act(act("crm", deed), reason=WHY)).status_code == 403
        assert (await person.get(NEW)).status_code == 403
        assert "/console/endpoints/" not in (await person.get(PAGE)).text


async def test_a_form_of_somebody_else_does_nothing(admin):
    answer = await admin.post(act("crm", "disable"), data={"reason": WHY}, headers={"origin": str(admin.base_url)})
    assert answer.status_code == 403
    assert await trail(admin) == []


async def test_a_test_message_goes_out_and_its_answer_is_told(admin, crm):
    crm.answers.append(Answer(418, body=b"<i>no</i>"))
    answer = await admin.act(act("crm", "ping"), reason=WHY)
    assert "crm has not taken the test message" in in_text(answer.text)
    assert "&lt;i&gt;no&lt;/i&gt;" in answer.text
    (entry,) = await trail(admin)
    assert (entry["act"], entry["reason"]) == ("endpoint.ping", WHY)


async def test_an_endpoint_is_made_and_its_secret_shown_once(admin, crm):
    secret = await make(admin, crm)
    page = (await admin.get(PAGE)).text
    assert secret not in page
    assert act("ledger", "rotate") in page
    (entry,) = await trail(admin)
    assert (entry["act"], entry["subject"], entry["reason"]) == ("endpoint.create", "ledger", WHY)
    assert secret not in str(entry)


async def test_another_secret_is_shown_once_and_kept_by_no_cache(admin, crm):
    first = await make(admin, crm)
    answer = await admin.act(act("ledger", "rotate"), reason=WHY, overlap="1h")
    second = _SECRET.search(answer.text)[1]
    assert second != first
    assert answer.headers["cache-control"] == "no-store"
    entry = (await trail(admin))[0]
    assert (entry["act"], entry["effect"], entry["reason"]) == ("endpoint.rotate", {"overlap": 3600.0}, WHY)


async def test_an_endpoint_is_changed_by_a_form_that_shows_what_it_is(admin, crm):
    await make(admin, crm)
    form = (await admin.get(act("ledger", "change"))).text
    assert 'name="concurrency" value="8"' in form
    fields = {"transitions": "all", "states": "completed\r\nerror", "concurrency": "2", "rate": "", "reason": WHY}
    assert (await admin.act(act("ledger", "change"), seen=_SEEN.search(form)[1], **fields)).status_code == 303
    view = (await admin.get("/v1/endpoints/ledger")).json()
    assert (view["transitions"], view["states"], view["concurrency"]) == ("all", ["completed", "error"], 2)
    entry = (await trail(admin))[0]
    assert entry["reason"] == WHY
    assert entry["effect"] == {
        "transitions": {"from": "terminal", "to": "all"},
        "states": {"from": [], "to": ["completed", "error"]},
        "concurrency": {"from": 8, "to": 2},
    }


async def test_a_form_that_is_saved_as_it_was_filled_changes_nothing(admin, crm):
    await make(admin, crm)
    options = {"states": ["expired", "completed"], "rate": 0.123456789}
    assert (await admin.patch("/v1/endpoints/ledger", json=options)).status_code == 200
    entries = await trail(admin)
    form = Typed((await admin.get(act("ledger", "change"))).text)
    assert (await admin.act(act("ledger", "change"), **form.fields | {"reason": WHY})).status_code == 303
    assert await trail(admin) == entries


async def test_what_somebody_else_has_changed_meanwhile_is_not_taken_back(admin, crm):
    await make(admin, crm)
    form = Typed((await admin.get(act("ledger", "change"))).text)
    await admin.patch("/v1/endpoints/ledger", json={"states": ["completed"]})
    typed = {"transitions": "all", "concurrency": "2", "reason": WHY}
    answer = await admin.act(act("ledger", "change"), **form.fields | typed)
    assert answer.status_code == 409
    text = in_text(answer.text)
    assert "Nothing was done: somebody has changed the endpoint meanwhile." in text
    assert re.findall("You had said: ([^ ]+)", text) == ["every", "\N{EN DASH}", "2"]
    now = Typed(answer.text).fields
    assert (now["states"], now["concurrency"], now["reason"]) == ("completed", "8", WHY)
    assert (await admin.act(act("ledger", "change"), **now | {"concurrency": "2"})).status_code == 303
    view = (await admin.get("/v1/endpoints/ledger")).json()
    assert (view["states"], view["concurrency"]) == (["completed"], 2)


async def test_a_form_that_was_corrected_still_knows_what_it_was_filled_with(admin, crm):
    await make(admin, crm)
    form = Typed((await admin.get(act("ledger", "change"))).text)
    await admin.patch("/v1/endpoints/ledger", json={"states": ["completed"]})
    wrong = await admin.act(act("ledger", "change"), **form.fields | {"concurrency": "many", "reason": WHY})
    assert wrong.status_code == 422
    corrected = Typed(wrong.text).fields | {"concurrency": "2"}
    assert (await admin.act(act("ledger", "change"), **corrected)).status_code == 409


async def test_a_form_that_was_filled_with_nothing_changes_nothing(admin, crm):
    await make(admin, crm)
    answer = await admin.act(act("ledger", "change"), concurrency="2", reason=WHY)
    assert answer.status_code == 409
    assert [each["act"] for each in await trail(admin)] == ["endpoint.create"]


@pytest.mark.parametrize("deed", ["enable", "disable"])
async def test_what_is_so_already_is_said_and_not_done_again(admin, deed):
    if deed == "disable":
        await admin.act(act("crm", "disable"), reason="It moves")
    entries = await trail(admin)
    answer = await admin.act(act("crm", deed), reason=WHY)
    assert answer.status_code == 409
    assert f"There is nothing to do: crm is {deed}d already." in in_text(answer.text)
    assert "<textarea" not in answer.text
    assert await trail(admin) == entries


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(admin):
    fields = {"name": "ledger", "url": "ftp://x", "states": "lost", "concurrency": "many", "reason": WHY}
    answer = await admin.act(NEW, **fields)
    assert answer.status_code == 422
    assert 'id="concurrency-fault"' in answer.text
    answer = await admin.act(NEW, **fields | {"concurrency": "999"})
    assert answer.status_code == 422
    for field in ("url", "states", "concurrency"):
        assert f'id="{field}-fault"' in answer.text
    assert 'value="ftp://x"' in answer.text
    answer = await admin.act(NEW, **fields | {"reason": ""})
    assert 'id="reason-fault-1"' in answer.text
    assert await trail(admin) == []


async def test_a_name_that_is_taken_is_told_beside_it(admin, crm):
    answer = await admin.act(NEW, name="crm", url="https://crm.example/", reason=WHY)
    assert answer.status_code == 409
    assert 'id="name-fault"' in answer.text


async def test_an_endpoint_is_deleted(admin, crm):
    await make(admin, crm)
    answer = await admin.act(act("ledger", "delete"), reason=WHY)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert act("ledger", "delete") not in (await admin.get(PAGE)).text
    assert (await trail(admin))[0]["act"] == "endpoint.delete"


async def test_what_stands_in_the_settings_is_not_changed_here(admin):
    assert act("crm", "rotate") not in (await admin.get(PAGE)).text
    assert (await admin.act(act("crm", "rotate"), reason=WHY)).status_code == 409


async def test_what_there_is_none_of_is_not_found(admin):
    assert (await admin.get(act("nobody", "ping"))).status_code == 404
    assert (await admin.get(act("crm", "explode"))).status_code == 404
