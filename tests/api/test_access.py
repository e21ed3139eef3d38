"""Who is let in to what, with tokens and without."""

import hashlib
from uuid import UUID, uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from statekeeper.api.access import (
    ANYBODY,
    FOREIGN,
    LOCAL,
    NOT_LOCAL,
    TOKEN_NEEDED,
    AccessPolicy,
    AccessToken,
    Caller,
    Role,
    path_of,
    role_needed,
)

CLOSED = [
    "/v1/sessions",
    "/v1/unknown",
    "/v1",
    "/metrics",
    "/unknown",
    "/",
    "//v1/sessions",
    "/v1/sessions/",
    "/healthy",
    "/docsx",
]
OPEN = ["/health/live", "/health/ready", "//health/live/", "/docs", "/docs/", "/docs/openapi.json"]
RETRY = f"/v1/callbacks/{uuid4()}/retry"


@pytest.mark.parametrize("path", CLOSED)
async def test_without_a_token_nothing_is_shown_where_tokens_are_configured(guarded, path):
    answer = await guarded.get(f"http://statekeeper.example{path}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Token needed"


@pytest.mark.parametrize("path", OPEN)
async def test_health_and_docs_stay_open(guarded, path):
    assert (await guarded.get(f"http://statekeeper.example{path}")).status_code == 200


async def test_the_webhook_stays_open(guarded):
    assert (await guarded.send_token("no token")).status_code == 400


@pytest.mark.parametrize("role", ["reader", "support", "admin"])
async def test_whoever_has_a_token_may_read(guarded, bearer, role):
    assert (await guarded.get("/v1/sessions", headers=bearer(role))).status_code == 200
    assert (await guarded.get("/metrics", headers=bearer(role))).status_code == 200
    assert (await guarded.get("/v1/unknown", headers=bearer(role))).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("reader", 403), ("support", 404), ("admin", 404)])
async def test_to_act_takes_support(guarded, bearer, role, status):
    answer = await guarded.post(RETRY, headers=bearer(role))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


CRM = "/v1/endpoints/crm"


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/v1/endpoints", Role.READER),
        ("GET", CRM, Role.READER),
        ("HEAD", CRM, Role.READER),
        ("POST", "/v1/endpoints", Role.ADMIN),
        ("PATCH", CRM, Role.ADMIN),
        ("DELETE", CRM, Role.ADMIN),
        ("POST", f"{CRM}/rotate", Role.ADMIN),
        ("POST", f"{CRM}/enable", Role.ADMIN),
        ("POST", f"{CRM}/ping", Role.ADMIN),
        ("POST", f"{CRM}/recover", Role.SUPPORT),
        ("POST", f"{CRM}/backfill", Role.SUPPORT),
        ("POST", f"{CRM}/x/recover", Role.ADMIN),
        ("POST", "/v1/endpoints/recover", Role.ADMIN),
        ("PUT", "/v1/feed/consumers/books", Role.SUPPORT),
        ("DELETE", "/v1/feed/consumers/books", Role.SUPPORT),
        ("POST", f"/v1/callbacks/{UUID(int=1)}/retry", Role.SUPPORT),
        ("POST", "/v1/endpointsx", Role.ADMIN),
        ("POST", "/v1/endpoints/a\nb/disable", Role.ADMIN),
        ("POST", "/v1/endpoints/a\nb/recover", Role.SUPPORT),
    ],
)
def test_each_act_takes_its_role(method, path, needed):
    assert role_needed(path, method) is needed


async def test_a_refusal_names_the_role_that_it_takes(guarded, bearer):
    answer = await guarded.post("/v1/endpoints", headers=bearer("support"))
    assert (answer.status_code, answer.json()["title"]) == (403, "Role too low")
    assert answer.json()["detail"] == "This takes a token of the role `admin`."
    answer = await guarded.post(RETRY, headers=bearer("reader"))
    assert answer.json()["detail"] == "This takes a token of the role `support`."


async def test_an_admin_may_change_endpoints(guarded, bearer):
    answer = await guarded.delete(CRM, headers=bearer("admin"))
    assert answer.status_code == 404
    answer = await guarded.delete("http://statekeeper.example//v1//endpoints/crm", headers=bearer("support"))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "Bearer", "Bearer ", "Basic token-of-a-reader", "token-of-a-reader", "bearer a b"]
)
async def test_what_is_no_token_of_ours_is_401(guarded, authorization):
    assert (await guarded.get("/v1/sessions", headers={"authorization": authorization})).status_code == 401


async def test_the_scheme_may_be_written_in_either_case(guarded):
    headers = {"authorization": "bEARER  token-of-a-reader"}
    assert (await guarded.get("/v1/sessions", headers=headers)).status_code == 200


async def test_two_authorizations_are_none(guarded, bearer):
    headers = [*bearer("reader").items(), *bearer("reader").items()]
    assert (await guarded.get("/v1/sessions", headers=headers)).status_code == 401


async def test_a_refused_token_is_not_logged(guarded):
    with capture_logs() as logs:
        await guarded.get("/v1/sessions", headers={"authorization": "Bearer my-very-own-secret"})
    assert logs == [{"event": "access_refused", "log_level": "info", "status": 401, "reason": "Token needed"}]


def test_a_configured_hash_may_be_written_in_capitals():
    token = AccessToken("ops", hashlib.sha256(b"secret").hexdigest().upper(), Role.READER)
    verdict = AccessPolicy((token,)).judge("/v1/sessions", "GET", [(b"authorization", b"Bearer secret")])
    assert verdict == Caller("ops", Role.READER)


LOOPBACK_HOSTS = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.8.8.8:80", "[::1]", "[::1]:8000"]
OTHER_HOSTS = ["statekeeper.example", "10.0.0.1:8000", "localhost.example", "[::2]", "[::1", ""]


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_without_tokens_this_machine_may_do_everything(host):
    assert AccessPolicy().judge("/v1/sessions", "POST", [(b"host", host.encode())]) is LOCAL


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize("path", ["/v1/sessions", "/metrics", "/docs", "/unknown"])
def test_without_tokens_nobody_else_may(host, path):
    assert AccessPolicy().judge(path, "GET", [(b"host", host.encode())]) is NOT_LOCAL


@pytest.mark.parametrize("headers", [[], [(b"host", b"localhost"), (b"host", b"localhost")]])
def test_without_tokens_the_host_must_be_said_once(headers):
    assert AccessPolicy().judge("/v1/sessions", "GET", headers) is NOT_LOCAL


@pytest.mark.parametrize(
    "name", [b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-anything"]
)
def test_without_tokens_the_trace_of_a_proxy_shuts_the_door(name):
    headers = [(b"host", b"localhost"), (name, b"")]
    assert AccessPolicy().judge("/v1/sessions", "GET", headers) is NOT_LOCAL
    assert AccessPolicy().judge("/health/live", "GET", headers) is ANYBODY
    assert AccessPolicy().judge("/webhooks/idnow", "POST", headers) is ANYBODY


async def test_without_tokens_a_foreign_host_gets_403_for_all_but_webhook_and_health(http):
    foreign = {"host": "statekeeper.example"}
    for path in (*CLOSED, "/docs", "/docs/openapi.json"):
        answer = await http.get(f"http://localhost{path}", headers=foreign)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (await http.get("/health/live", headers=foreign)).status_code == 200
    assert (await http.send_token("no token", **foreign)).status_code == 400


@pytest.mark.parametrize("path", ["/webhooks/idnow", "/v1/sessions", "/unknown"])
async def test_there_are_no_websockets(service, path):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message["type"])

    scope = {"type": "websocket", "path": path, "headers": [(b"host", b"localhost")], "query_string": b""}
    await service.app(scope, receive, send)
    assert sent == ["websocket.close"]


def test_with_a_provider_and_no_tokens_the_house_is_guarded_and_no_token_is_good():
    policy = AccessPolicy(provider="https://id.example")
    for headers in ([(b"host", b"localhost")], [(b"authorization", b"Bearer anything")]):
        assert policy.judge("/v1/sessions", "GET", headers) is TOKEN_NEEDED
    assert policy.judge("/console/sessions", "POST", []) is ANYBODY, "the console's own guard asks there"
    assert policy.judge("/consoles", "GET", []) is TOKEN_NEEDED


FOREIGN_PAGES = [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://localhost:1")]


@pytest.mark.parametrize(("name", "value"), FOREIGN_PAGES)
@pytest.mark.parametrize("path", ["/v1/endpoints", "/v1/callbacks/x/retry", "/console/sign-out"])
def test_on_this_machine_a_page_of_somebody_else_can_change_nothing(name, value, path):
    headers = [(b"host", b"localhost:8000"), (name.encode(), value.encode())]
    assert AccessPolicy().judge(path, "POST", headers) is FOREIGN
    assert AccessPolicy().judge(path, "GET", headers) is LOCAL


def test_a_webhook_may_come_from_wherever_it_likes():
    assert AccessPolicy().judge("/webhooks/idnow", "POST", [(b"sec-fetch-site", b"cross-site")]) is ANYBODY


def test_a_token_is_proof_enough_that_no_page_has_sent_it():
    token = AccessToken("ops", hashlib.sha256(b"secret").hexdigest(), Role.ADMIN)
    headers = [(b"authorization", b"Bearer secret"), (b"sec-fetch-site", b"cross-site")]
    assert AccessPolicy((token,)).judge("/v1/endpoints", "POST", headers) == Caller("ops", Role.ADMIN)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/idnow/v1/audit", "/v1/audit"),
        ("/idnow//v1/audit/", "/v1/audit"),
        ("/v1/audit", "/v1/audit"),
        ("/health/idnow/v1/audit", "/v1/audit"),
        ("/console/static/idnow/v1/audit", "/v1/audit"),
    ],
)
async def test_mounted_below_another_path_the_door_judges_the_path_that_is_routed(serving, tokens, bearer, path, seen):
    """Else what stands before, or in between, would open what is closed, or let a reader read the trail."""
    async with serving(tokens=tokens) as service:
        scope = {"path": path, "root_path": "/idnow"}
        assert path_of(scope) == seen
        for role, status in (("nobody", 401), ("reader", 403), ("support", 200)):
            transport = httpx.ASGITransport(service.app, root_path="/idnow")
            async with httpx.AsyncClient(transport=transport, base_url="http://statekeeper.example") as http:
                assert (await http.get(path, headers=bearer(role))).status_code == status
