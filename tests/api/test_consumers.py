"""Consumers over HTTP: a name for a position, who may move it, and how two workers share it."""

import pytest

import forge
from databases import rows

CRM = "/v1/feed/consumers/crm"
MEMBERS = ["name", "position", "transitions", "lag", "secondsBehind", "createdAt", "updatedAt"]


async def end(http, *seeds: int) -> None:
    """Sessions that ended, two steps each."""
    for seed in seeds:
        for event in forge.story(seed):
            assert (await http.webhook(event)).status_code == 200


async def put(http, **body):
    return await http.put(CRM, json=body)


async def test_a_consumer_is_made_moved_back_and_forth_and_deleted(http):
    await end(http, 1, 2)
    made = await put(http, position="start")
    assert made.status_code == 201
    assert list(made.json()) == MEMBERS
    assert (made.json()["position"], made.json()["transitions"], made.json()["lag"]) == ("0", "terminal", 2)
    for position, at, lag in (("4", "4", 0), ("2", "2", 1), ("end", "4", 0), ("start", "0", 2)):
        moved = await put(http, position=position)
        assert (moved.status_code, moved.json()["position"], moved.json()["lag"]) == (200, at, lag)
    assert (await http.get(CRM)).json()["createdAt"] == made.json()["createdAt"]
    gone = await http.delete(CRM)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await http.delete(CRM)).status_code == (await http.get(CRM)).status_code == 404
    assert (await http.get("/v1/feed?consumer=crm")).status_code == 404


async def test_a_consumers_kind_stays_until_it_is_changed(http):
    await end(http, 1)
    assert (await put(http, position="start", transitions="all")).json()["lag"] == 2
    assert (await put(http, position="1")).json()["transitions"] == "all"
    assert (await put(http, position="1", transitions="terminal")).json()["transitions"] == "terminal"


async def test_all_consumers_are_listed_by_name_with_the_head(http):
    await end(http, 1)
    for name in ("b", "caf%C3%A9", "a"):
        assert (await http.put(f"/v1/feed/consumers/{name}", json={"position": "start"})).status_code == 201
    listed = (await http.get("/v1/feed/consumers")).json()
    assert ([each["name"] for each in listed["items"]], listed["head"]) == (["a", "b", "café"], "2")
    assert [list(each) for each in listed["items"]] == [MEMBERS] * 3


async def test_a_consumer_of_all_steps_reads_them_unless_it_is_said_otherwise(http):
    await end(http, 1)
    await put(http, position="start", transitions="all")

    async def read(query: str = "") -> list[str]:
        items = (await http.get(f"/v1/feed?consumer=crm{query}")).json()["items"]
        return [item["position"] for item in items]

    assert await read() == ["1", "2"]
    assert await read("&transitions=terminal") == ["2"]
    assert await read("&state=created") == ["1"]
    refused = await http.get("/v1/feed?consumer=crm&environment=live")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "environment")


async def test_a_position_beyond_the_head_is_refused_and_makes_nobody(http):
    await end(http, 1)
    for position in ("3", "9" * 18):
        refused = await put(http, position=position)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "position")
    assert (await http.get(CRM)).status_code == 404


async def test_a_reader_may_look_and_support_may_move(guarded, bearer):
    body = {"position": "start"}
    assert (await guarded.put(CRM, json=body)).status_code == 401
    assert (await guarded.put(CRM, json=body, headers=bearer("reader"))).status_code == 403
    assert (await guarded.put(CRM, json=body, headers=bearer("support"))).status_code == 201
    assert (await guarded.get(CRM, headers=bearer("reader"))).status_code == 200
    assert (await guarded.get("/v1/feed?consumer=crm", headers=bearer("reader"))).status_code == 200
    assert (await guarded.delete(CRM, headers=bearer("reader"))).status_code == 403
    assert (await guarded.delete(CRM, headers=bearer("support"))).status_code == 204


BAD = [
    ({}, "position"),
    ({"position": 1}, "position"),
    ({"position": None}, "position"),
    ({"position": ""}, "position"),
    ({"position": "-1"}, "position"),
    ({"position": "1.0"}, "position"),
    ({"position": " 1"}, "position"),
    ({"position": "\uff11"}, "position"),
    ({"position": "1" * 19}, "position"),
    ({"position": "End"}, "position"),
    ({"position": "0", "expected": "start"}, "expected"),
    ({"position": "0", "expected": 0}, "expected"),
    ({"position": "0", "transitions": "some"}, "transitions"),
    ({"position": "0", "expect": "0"}, "expect"),
    ([], "body"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
async def test_a_bad_body_is_422_and_its_field_named(service, http, body, field):
    answer = await http.put(CRM, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert await rows(service.database, "SELECT count(*) FROM feed_consumers") == [(0,)]


@pytest.mark.parametrize("name", ["%00", "x" * 256])
async def test_a_name_that_cannot_be_kept_is_400(http, name):
    path = f"/v1/feed/consumers/{name}"
    for answer in (await http.get(path), await http.put(path, json={"position": "0"}), await http.delete(path)):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_parameter_that_nobody_reads_is_400(bare, method):
    answer = await bare.request(method, f"{CRM}?force=true", json={"position": "0"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "query")
