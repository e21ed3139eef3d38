"""A session's gap is closed by hand, notes are put to it, and what was done is listed."""

from uuid import uuid4

import pytest

import forge
from receiver import Receiver
from statekeeper.trust.sealing import new_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
LOCAL = {"allowed_networks": ["127.0.0.0/8"]}
WHY = {"reason": "the provider says that it is lost"}


async def hold(http, seed: int = 1) -> str:
    """A session whose end waits for its beginning."""
    *_, last = forge.story(seed)
    taken = (await http.webhook(last)).json()
    assert taken["disposition"] == "held"
    return taken["sessionId"]


async def test_a_dry_run_says_what_closing_a_gap_then_does(serving, client):
    async with Receiver() as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with serving(endpoints=endpoints) as service, client(service.app) as http:
            session = await hold(http)
            answer = await http.post(f"/v1/sessions/{session}/close-gap?dryRun=true")
            plan = answer.json()
            assert (answer.status_code, plan["gap"]["source"]) == (200, "pending")
            assert (await http.get(f"/v1/sessions/{session}")).json()["held"] == [2]
            done = await http.post(f"/v1/sessions/{session}/close-gap", json=WHY)
            entry = done.json()
            assert done.status_code == 200
            assert (entry["act"], entry["reason"], entry["sessionId"]) == ("session.close_gap", WHY["reason"], session)
            (planned,) = plan["callbacks"]
            assert planned.pop("url") == receiver.url
            assert entry["effect"] == plan["gap"] | {"callbacks": [planned]}
            await receiver.wait_for(1)
            assert receiver.requests[0].headers["webhook-id"] == planned["callbackId"]
            again = await http.post(f"/v1/sessions/{session}/close-gap", json=WHY)
            assert (again.status_code, again.json()["title"]) == (409, "Nothing held")


async def test_only_the_gap_that_was_looked_at_is_closed(service, http):
    session = await hold(http)
    moved = await http.post(f"/v1/sessions/{session}/close-gap", json=WHY | {"expected": [7]})
    assert (moved.status_code, moved.json()["title"]) == (409, "Gap moved")
    assert (await http.post(f"/v1/sessions/{session}/close-gap", json=WHY | {"expected": [1]})).status_code == 200


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": 7}])
@pytest.mark.parametrize("path", ["sessions/{}/close-gap", "callbacks/{}/resend"])
async def test_what_takes_a_reason_is_refused_without_one(http, path, body):
    answer = (
        await http.post(f"/v1/{path.format(uuid4())}", json=body)
        if body is not None
        else await http.post(f"/v1/{path.format(uuid4())}")
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "reason"


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "\x00"}, {"text": "x" * 501}, {"reason": "why"}])
async def test_a_note_takes_a_text(http, body):
    answer = await http.post(f"/v1/sessions/{uuid4()}/notes", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "sessions/{}/close-gap", WHY),
        ("post", "sessions/{}/notes", {"text": "called"}),
        ("post", "callbacks/{}/resend", WHY),
        ("get", "audit", None),
    ],
)
async def test_a_reader_neither_acts_nor_reads_what_support_wrote(guarded, bearer, method, path, body):
    asked = guarded.build_request(method, f"/v1/{path.format(uuid4())}", json=body, headers=bearer("reader"))
    refused = await guarded.send(asked)
    assert (refused.status_code, refused.json()["title"]) == (403, "Role too low")
    asked.headers.update(bearer("support"))
    assert (await guarded.send(asked)).status_code in {200, 404}


async def test_the_trail_says_who_it_was_and_from_where(guarded, bearer):
    created, _ = forge.story(1)
    session = (await guarded.webhook(created)).json()["sessionId"]
    said = await guarded.post(f"/v1/sessions/{session}/notes", json={"text": "called"}, headers=bearer("support"))
    page = (
        await guarded.get(f"/v1/audit?sessionId={session.upper()}&act=session.note", headers=bearer("admin"))
    ).json()
    assert page == {"items": [said.json()], "nextCursor": None}
    entry = said.json()
    assert (entry["actor"], entry["role"], entry["via"], entry["origin"]) == (
        "the support",
        "support",
        "api",
        "127.0.0.1",
    )


@pytest.mark.parametrize("query", ["act=nothing", "sessionId=7", "since=now", "limit=0", "cursor=x", "wanted=all"])
async def test_a_bad_filter_is_refused(http, query):
    assert (await http.get(f"/v1/audit?{query}")).status_code == 400


async def test_every_act_of_endpoints_and_consumers_is_recorded_and_no_secret_with_it(serving, client):
    key = new_key()
    async with (
        Receiver() as receiver,
        serving(encryption_keys=[key], delivery=LOCAL) as service,
        client(service.app) as http,
    ):
        url = receiver.url.replace("//", "//somebody:hidden@") + "?token=hidden"
        made = await http.post("/v1/endpoints", json={"name": "crm", "url": url, "secret": SECRET})
        assert made.status_code == 201, made.text
        await http.patch("/v1/endpoints/crm", json={"rate": 5, "url": url})
        await http.post("/v1/endpoints/crm/rotate", json={"overlap": 60})
        await http.post("/v1/endpoints/crm/disable", json={"reason": "it moves"})
        await http.post("/v1/endpoints/crm/enable")
        await http.post("/v1/endpoints/crm/ping")
        for kind in ("recover", "backfill"):
            began = await http.post(f"/v1/endpoints/crm/{kind}", json={"since": "2026-01-08T00:00:00Z"})
            assert began.status_code == 202
        await http.put("/v1/feed/consumers/crm", json={"position": "end"})
        await http.delete("/v1/feed/consumers/crm")
        await http.delete("/v1/endpoints/crm")
        answer = await http.get("/v1/audit")
    entries = answer.json()["items"][::-1]
    assert [(each["act"], each["subject"]) for each in entries] == [
        (f"{what}.{done}", "crm")
        for what, done in (
            *(("endpoint", done) for done in ("create", "change", "rotate", "disable", "enable", "ping")),
            *(("endpoint", done) for done in ("recover", "backfill")),
            *(("consumer", done) for done in ("place", "remove")),
            ("endpoint", "delete"),
        )
    ]
    assert entries[3]["reason"] == "it moves"
    changed, disabled, enabled, deleted = (entries[each]["effect"] for each in (1, 3, 4, -1))
    assert changed == {"rate": {"from": None, "to": 5}}
    assert disabled == {"health": {"from": "closed", "to": "disabled"}}
    assert enabled == {"health": {"from": "disabled", "to": "closed"}}
    assert deleted == {"dead": 0}
    assert "hidden" not in answer.text
    assert SECRET not in answer.text


async def test_what_changes_nothing_is_answered_as_ever_and_not_recorded(serving, client):
    async with serving(encryption_keys=[new_key()], delivery=LOCAL) as service, client(service.app) as http:
        await http.post("/v1/endpoints", json={"name": "crm", "url": "https://crm.example/", "states": ["completed"]})
        await http.post("/v1/endpoints/crm/disable", json={"reason": "it moves"})
        before = (await http.get("/v1/endpoints/crm")).json()
        again = await http.post("/v1/endpoints/crm/disable", json={"reason": "it moves on"})
        same = await http.patch("/v1/endpoints/crm", json={"states": ["completed"], "concurrency": 8, "rate": None})
        assert [(each.status_code, each.json()) for each in (again, same)] == [(200, before)] * 2
        await http.post("/v1/endpoints/crm/enable")
        assert (await http.post("/v1/endpoints/crm/enable")).status_code == 200
        acts = [each["act"] for each in (await http.get("/v1/audit")).json()["items"]]
    assert acts == ["endpoint.enable", "endpoint.disable", "endpoint.create"]


async def test_another_url_is_recorded_with_what_it_does_to_the_health(serving, client):
    async with serving(encryption_keys=[new_key()], delivery=LOCAL) as service, client(service.app) as http:
        await http.post("/v1/endpoints", json={"name": "crm", "url": "https://crm.example/?key=hidden"})
        await http.post("/v1/endpoints/crm/disable")
        await http.patch("/v1/endpoints/crm", json={"url": "https://crm.example/?key=buried"})
        effect = (await http.get("/v1/audit")).json()["items"][0]["effect"]
    shown = "https://crm.example/?key=***"
    assert effect == {"url": {"from": shown, "to": shown}, "health": {"from": "disabled", "to": "closed"}}
