"""Many callbacks at once over HTTP, through a whole service: what is said, what is done, and who may have it done."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

import forge
from databases import rows
from receiver import Answer, Receiver
from statekeeper.recoverer import Recoverer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SINCE = "2020-01-01T01:00:00+01:00"
ASKED = {"since": SINCE, "dryRun": True}


def endpoint(name, receiver, **filters):
    return {"name": name, "url": receiver.url, "secrets": [SECRET], **filters}


async def end(http, count, first=0, environment="live"):
    """So many sessions that ended."""
    for seed in range(first, first + count):
        for event in forge.story(seed):
            event["environment"] = environment
            assert (await http.webhook(event)).status_code == 200


async def until(service, condition, within=20):
    """Look again behind each commit: whatever relay and recoverer settle is in one."""
    async with asyncio.timeout(within):
        while not await condition():
            await service.engine.writer.execute(lambda _connection, _now: None)


def all_are(service, status, count):
    async def are():
        found = await rows(service.database, f"SELECT count(*) FROM callbacks WHERE status = '{status}'")
        return found == [(count,)]

    return are


def finished(http, location):
    async def is_finished():
        return (await http.get(location)).json()["finishedAt"] is not None

    return is_finished


@pytest.fixture
def idle(monkeypatch):
    """A recoverer that never comes to it."""

    async def nothing(_recoverer):
        return 0

    monkeypatch.setattr(Recoverer, "run_once", nothing)


PATIENT = {"schedule": [0], "breaker_failures": 1000}  # what fails is dead at once, and its endpoint gets the rest


async def test_three_hundred_dead_are_counted_recovered_and_delivered(serving, client):
    gone = asyncio.Event()
    async with (
        Receiver(otherwise=lambda _: Answer(200 if gone.is_set() else 503)) as receiver,
        serving(endpoints=[endpoint("crm", receiver)], delivery=PATIENT) as service,
        client(service.app) as http,
    ):
        await end(http, 300)
        await until(service, all_are(service, "dead", 300))
        gone.set()

        plan = await http.post("/v1/endpoints/crm/recover", json=ASKED)
        assert plan.status_code == 200
        document = plan.json()
        assert document.pop("until").endswith("Z")
        assert document == {
            "kind": "retry",
            "subscriber": "crm",
            "since": "2020-01-01T00:00:00.000Z",
            "total": 300,
            "dryRun": True,
        }
        assert await all_are(service, "dead", 300)()
        assert (await http.get("/v1/recoveries")).json() == {"items": [], "nextCursor": None}

        with capture_logs() as logs:
            begun = await http.post("/v1/endpoints/crm/recover", json={"since": SINCE})
        assert begun.status_code == 202
        assert begun.headers["location"] == f"/v1/recoveries/{begun.json()['recoveryId']}"
        assert (begun.json()["total"], begun.json()["kind"]) == (300, "retry")
        assert {"event": "recovery_begun", "by": "local"}.items() <= logs[0].items()
        await until(service, all_are(service, "delivered", 300))
        await until(service, finished(http, begun.headers["location"]))

        told = Counter(request.json()["data"]["callbackId"] for request in receiver.requests)
        assert set(told.values()) == {2}
        (done,) = (await http.get("/v1/recoveries")).json()["items"]
        assert (done["done"], done["total"]) == (300, 300)
        again = await http.post("/v1/endpoints/crm/recover", json=ASKED)
        assert again.json()["total"] == 0


async def test_a_new_endpoint_gets_exactly_what_it_missed_and_nothing_twice(serving, client):
    async with Receiver() as old, Receiver() as new:
        crm = endpoint("crm", old)
        async with serving(endpoints=[crm]) as service, client(service.app) as http:
            await end(http, 20, environment="live")
            await end(http, 20, first=20, environment="test")
            await until(service, all_are(service, "delivered", 40))
        late = endpoint("late", new, environments=["live"])
        async with serving(endpoints=[crm, late]) as service, client(service.app) as http:
            await end(http, 5, first=40, environment="live")
            assert (await http.post("/v1/endpoints/late/backfill", json=ASKED)).json()["total"] == 20
            for expected in (20, 0):
                begun = await http.post("/v1/endpoints/late/backfill", json={"since": SINCE})
                await until(service, finished(http, begun.headers["location"]))
                assert (await http.get(begun.headers["location"])).json()["done"] == expected
            await until(service, all_are(service, "delivered", 45 + 25))
        expected = {
            (said["sessionId"], said["state"]) for said in map(data, old.requests) if said["environment"] == "live"
        }
        assert Counter((said["sessionId"], said["state"]) for said in map(data, new.requests)) == Counter(expected)
        assert len(expected) == 25


def data(request):
    return request.json()["data"]


@pytest.mark.usefixtures("idle")
async def test_one_that_is_unfinished_is_409_and_others_may_begin(serving, client):
    async with (
        Receiver() as receiver,
        serving(endpoints=[endpoint("crm", receiver)]) as service,
        client(service.app) as http,
    ):
        first = await http.post("/v1/endpoints/crm/recover", json={"since": SINCE})
        again = await http.post("/v1/endpoints/crm/recover", json={"since": SINCE})
        assert (again.status_code, again.json()["title"]) == (409, "Recovery under way")
        assert first.json()["recoveryId"] in again.json()["detail"]
        assert (await http.post("/v1/endpoints/crm/recover", json=ASKED)).status_code == 200
        assert (await http.post("/v1/endpoints/crm/backfill", json={"since": SINCE})).status_code == 202
        shown = await http.get(first.headers["location"])
        assert shown.json() == first.json() | {"finishedAt": None}


async def test_recoveries_are_listed_the_newest_first_a_page_at_a_time(serving, client):
    async with (
        Receiver() as receiver,
        serving(endpoints=[endpoint("crm", receiver)]) as service,
        client(service.app) as http,
    ):
        begun = []
        for kind in ("recover", "backfill", "recover"):
            answer = await http.post(f"/v1/endpoints/crm/{kind}", json={"since": SINCE})
            await until(service, finished(http, answer.headers["location"]))
            begun.append(answer.json())
        page = (await http.get("/v1/recoveries?limit=2")).json()
        rest = (await http.get(f"/v1/recoveries?cursor={page['nextCursor']}")).json()
        found = [item["recoveryId"] for item in page["items"] + rest["items"]]
        assert found == [each["recoveryId"] for each in sorted(begun, key=lambda each: each["createdAt"])][::-1]
        assert rest["nextCursor"] is None


async def test_a_function_or_any_name_is_meant_percent_encoded(serving, client, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = "from statekeeper import on_terminal\n@on_terminal\ndef told(ended): ...\n"
    (tmp_path / "recovered.py").write_text(source)
    async with (
        Receiver() as receiver,
        serving(endpoints=[endpoint("Büro 1", receiver)], callbacks=[str(tmp_path / "recovered.py")]) as service,
        client(service.app) as http,
    ):
        for name in ("recovered%3Atold", "recovered:told", "B%C3%BCro%201"):
            answer = await http.post(f"/v1/endpoints/{name}/backfill", json=ASKED)
            assert answer.status_code == 200


async def test_an_unknown_subscriber_or_recovery_is_404(http):
    for path in ("/v1/endpoints/nobody/recover", "/v1/endpoints/nobody/backfill"):
        for asked in (ASKED, {"since": SINCE}):
            answer = await http.post(path, json=asked)
            assert (answer.status_code, answer.json()["title"]) == (404, "Not known")
    assert (await http.get(f"/v1/recoveries/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "since"),
        ({"since": "yesterday"}, 422, "since"),
        ({"since": "2026-01-01T00:00:00"}, 422, "since"),
        ({"since": "0001-01-01T00:00:00+01:00"}, 422, "since"),
        ({"since": 5}, 422, "since"),
        ({"since": SINCE, "dryRun": "yes"}, 422, "dryRun"),
        ({"since": SINCE, "dryrun": True}, 422, "dryrun"),
        ([], 422, "body"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_by_its_field(bare, body, status, field):
    for kind in ("recover", "backfill"):
        answer = await bare.post(f"/v1/endpoints/crm/{kind}", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


async def test_what_is_asked_amiss_is_400(bare):
    assert (await bare.post("/v1/endpoints/crm/recover?since=1", json=ASKED)).status_code == 400
    assert (await bare.get("/v1/recoveries/1")).json()["errors"][0]["field"] == "recoveryId"
    assert (await bare.get(f"/v1/recoveries/{UUID(int=1)}?x=1")).status_code == 400
    assert (await bare.get("/v1/recoveries?limit=0")).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("reader", 403), ("support", 404), ("admin", 404)])
async def test_to_recover_takes_support_and_to_look_does_not(guarded, bearer, role, status):
    for kind in ("recover", "backfill"):
        assert (await guarded.post(f"/v1/endpoints/x/{kind}", json=ASKED, headers=bearer(role))).status_code == status
    assert (await guarded.get("/v1/recoveries", headers=bearer(role))).status_code == 200
