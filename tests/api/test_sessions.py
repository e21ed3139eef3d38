"""Queries over HTTP: the session with its validators, the long wait, the list, the history."""

import asyncio
from uuid import UUID, uuid4

import pytest

import forge

MISSING = uuid4()


async def take(http, seed: int, end: str = "completed", upto: int = 2) -> str:
    """A session's story up to an event; the session's id."""
    events = forge.story(seed, end)[:upto]
    for event in events:
        assert (await http.webhook(event)).status_code == 200
    return events[0]["payload"]["sessionId"]


async def test_a_session_is_shown_as_the_contract_says(http):
    session = await take(http, 1)
    answer = await http.get(f"/v1/sessions/{session}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "private, no-cache"
    document = answer.json()
    times = {name: document.pop(name) for name in ("firstSeenAt", "updatedAt", "endedAt")}
    assert all(len(time) == len("2026-01-08T08:35:37.581Z") and time.endswith("Z") for time in times.values())
    chart = document.pop("chart")
    assert (chart["id"], len(chart["version"])) == ("idnow-session", 16)
    assert document == {
        "sessionId": session,
        "flowId": forge.story(1)[0]["payload"]["flowId"],
        "environment": "staging",
        "state": "completed",
        "terminal": True,
        "cursor": 2,
        "held": [],
        "missing": [],
        "contiguous": True,
        "lastStep": {"id": "END-ACCEPT", "type": "END", "status": "COMPLETED"},
    }


async def test_an_id_may_be_written_in_either_case(http):
    session = await take(http, 2)
    assert (await http.get(f"/v1/sessions/{session.upper()}")).json()["sessionId"] == session


@pytest.mark.parametrize("path", ["/v1/sessions/{}", "/v1/sessions/{}/history", "/v1/sessions/{}/why"])
async def test_an_unknown_session_is_404_and_what_is_no_uuid_is_400(http, path):
    assert (await http.get(path.format(MISSING))).status_code == 404
    for wrong in ("1", MISSING.hex, f"{{{MISSING}}}", f"urn:uuid:{MISSING}", f"{MISSING} ", "%00"):
        answer = await http.get(path.format(wrong))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "sessionId")


async def test_a_client_that_has_the_document_is_not_sent_it_again(http):
    session = await take(http, 3, upto=1)
    tag = (await http.get(f"/v1/sessions/{session}")).headers["etag"]
    assert tag.startswith('"')
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*", " * "):
        answer = await http.get(f"/v1/sessions/{session}", headers={"if-none-match": condition})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for condition in ('"other"', "", tag.strip('"'), 'W/"other"'):
        answer = await http.get(f"/v1/sessions/{session}", headers={"if-none-match": condition})
        assert answer.status_code == 200


async def test_the_entity_tag_moves_with_the_session_and_not_with_a_duplicate(http):
    created, completed = forge.story(4)
    await http.webhook(created)
    path = f"/v1/sessions/{created['payload']['sessionId']}"
    before = await http.get(path)
    await http.webhook(forge.redelivered(created))
    assert (await http.get(path)).headers["etag"] == before.headers["etag"]
    await http.webhook(completed)
    after = await http.get(path, headers={"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.json()["state"]) == (200, "completed")


async def waiting(service, http, path: str) -> asyncio.Task:
    """A request that has subscribed and waits."""
    watchers = service.engine.watchers
    task = asyncio.create_task(http.get(path))
    while not watchers._watching:  # noqa: ASYNC110 -- nobody says when somebody has subscribed
        await asyncio.sleep(0)
    return task


async def test_a_wait_for_a_session_that_has_ended_is_over_at_once(http):
    session = await take(http, 5)
    answer = await asyncio.wait_for(http.get(f"/v1/sessions/{session}?wait=60"), 5)
    assert answer.json()["terminal"]


async def test_a_wait_ends_with_the_session_and_not_with_any_change(service, http):
    created, completed = forge.story(6)
    path = f"/v1/sessions/{created['payload']['sessionId']}?wait=60"
    task = await waiting(service, http, path)
    await http.webhook(created)
    assert not task.done()
    await http.webhook(completed)
    answer = await asyncio.wait_for(task, 5)
    assert (answer.status_code, answer.json()["state"]) == (200, "completed")
    assert not service.engine.watchers._watching


async def test_a_wait_that_is_over_answers_what_is_so(http):
    session = await take(http, 7, upto=1)
    answer = await http.get(f"/v1/sessions/{session}?wait=0.01")
    assert (answer.status_code, answer.json()["state"]) == (200, "created")
    assert (await http.get(f"/v1/sessions/{MISSING}?wait=0.01")).status_code == 404
    assert (await http.get(f"/v1/sessions/{MISSING}?wait=0")).status_code == 404


async def test_all_waits_are_answered_when_the_service_is_told_to_stop(service, http):
    session = await take(http, 8, upto=1)
    task = await waiting(service, http, f"/v1/sessions/{session}?wait=60")
    service.stop_waiting()
    assert (await asyncio.wait_for(task, 5)).json()["state"] == "created"
    late = await asyncio.wait_for(http.get(f"/v1/sessions/{session}?wait=60"), 5)
    assert late.status_code == 200


@pytest.mark.parametrize("wait", ["", "-1", "61", "60.5", "1e1", "x", "+1", "%20 1", "nan", "1&wait=2", "\uff11"])
async def test_a_wait_beyond_its_bounds_is_400(bare, wait):
    answer = await bare.get(f"/v1/sessions/{MISSING}?wait={wait}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "wait")


async def test_the_list_is_paged_and_filtered(http):
    ended = [await take(http, seed, end) for seed, end in ((11, "completed"), (12, "error"), (13, "aborted"))]
    running = await take(http, 14, upto=1)
    everything = (await http.get("/v1/sessions")).json()
    assert [item["sessionId"] for item in everything["items"]] == [running, *reversed(ended)]
    assert everything["nextCursor"] is None
    first = (await http.get("/v1/sessions?limit=3")).json()
    rest = (await http.get("/v1/sessions", params={"limit": 3, "cursor": first["nextCursor"]})).json()
    assert [*first["items"], *rest["items"]] == everything["items"]

    async def found(query: str) -> list[str]:
        answer = await http.get(f"/v1/sessions?{query}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        return [item["sessionId"] for item in answer.json()["items"]]

    flow = everything["items"][0]["flowId"]
    assert await found("state=error") == [ended[1]]
    assert await found("state=error&state=completed") == [ended[1], ended[0]]
    assert await found("terminal=false") == [running]
    assert await found("terminal=true&limit=1") == [ended[2]]
    assert await found("environment=live") == []
    assert len(await found(f"environment=staging&flowId={flow}")) == 4
    assert await found("updatedAfter=" + everything["items"][1]["updatedAt"]) == [running]
    assert await found("updatedBefore=" + everything["items"][2]["updatedAt"]) == [ended[0]]
    assert await found("updatedAfter=2999-01-01T00:00:00%2B01:00") == []


BAD = [
    "state=",
    "state=unknown",
    "state=error&state=Error",
    "terminal=",
    "terminal=True",
    "terminal=1",
    "terminal=true&terminal=true",
    "environment=",
    "environment=%00",
    "environment=" + "x" * 256,
    "environment=live&environment=live",
    "flowId=",
    "updatedAfter=",
    "updatedAfter=yesterday",
    "updatedAfter=2026-01-08",
    "updatedAfter=2026-01-08T08:35:37",
    "updatedAfter=2026-01-08T08:35:37+01:00",
    "updatedAfter=20260108T083537Z",
    "updatedBefore=2026-02-30T00:00:00Z",
    "updatedBefore=0001-01-01T00:00:00%2B23:59",
    "limit=",
    "limit=0",
    "limit=201",
    "limit=1.5",
    "limit=-1",
    "limit=%2B1",
    "limit=\uff11",
]


@pytest.mark.parametrize("query", BAD)
async def test_a_bad_or_empty_value_is_400_and_named(bare, query):
    answer = await bare.get(f"/v1/sessions?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [query.split("=", maxsplit=1)[0]]


async def test_a_cursor_that_was_never_given_out_is_400(http):
    for cursor in ("", "x", "A" * 31 + "!"):
        answer = await http.get("/v1/sessions", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.parametrize("query", ["states=error", "limit=1&page=2", "state=%ff", "&".join(["state=error"] * 101)])
async def test_a_query_that_is_not_understood_is_400(bare, query):
    answer = await bare.get(f"/v1/sessions?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "query")


async def test_a_history_is_shown_as_the_contract_says(http):
    session = await take(http, 9)
    answer = await http.get(f"/v1/sessions/{session}/history")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    history = answer.json()
    assert list(history) == ["sessionId", "transitions", "events", "callbacks"]
    assert history["sessionId"] == session
    assert [list(step) for step in history["transitions"]] == [
        ["ordinal", "source", "target", "trigger", "cause", "eventId", "sequence", "at", "reason"]
    ] * 2
    assert [event["deliveries"][0]["deliverId"] for event in history["events"]] == ["1", "1"]
    assert history["callbacks"] == []
    assert (await http.get(f"/v1/sessions/{session}/history?wait=1")).status_code == 400


async def test_a_session_with_an_id_of_capitals_in_its_token_is_the_same_session(http):
    created, completed = forge.story(10)
    session = UUID(created["payload"]["sessionId"])
    completed["payload"]["sessionId"] = str(session).upper()
    await http.webhook(created)
    assert (await http.webhook(completed)).json()["sessionId"] == str(session)


async def test_a_change_that_another_node_made_is_found_though_nobody_tells(service, http, monkeypatch):
    monkeypatch.setattr(service._writer, "_after_commit", lambda _: None)
    created, completed = forge.story(77)
    path = f"/v1/sessions/{created['payload']['sessionId']}?wait=30"
    task = await waiting(service, http, path)
    await http.webhook(created)
    await http.webhook(completed)
    assert (await asyncio.wait_for(task, 10)).json()["state"] == "completed"
