"""The console is closed: to whoever is not signed in, and to acts that no page of ours has sent."""

import re

import pytest
from structlog.testing import capture_logs

from databases import rows
from statekeeper.api.access import CONSOLE, is_under
from statekeeper.app import Service
from statekeeper.console.entrance.guard import OPEN
from statekeeper.console.entrance.headers import HEADERS
from visits import COOKIE, SIGN_IN, URL, Person

ASSET = re.compile(r'href="(/console/static/[^"]+\.css)"')
FORM = {"content-type": "application/x-www-form-urlencoded"}


def console_routes(service: Service) -> list[tuple[str, str]]:
    """Every method and path under /console that the app has, its parameters filled in."""
    return [
        (method, re.sub(r"\{[^}]+\}", "x", path.path))
        for path in service.app.routes
        if is_under(path.path, CONSOLE)
        for method in path.methods
    ]


async def test_whoever_is_not_signed_in_is_let_in_nowhere(serving, tokens):
    """A page that is made tomorrow is in this list by itself."""
    async with serving(tokens=tokens) as service, Person(service) as person:
        closed = [each for each in console_routes(service) if not is_open(each[1])]
        assert len(closed) >= 4
        for method, path in closed:
            answer = await person.request(method, path)
            if method == "GET":
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith(f"{SIGN_IN}?next=/console"), path
            else:
                assert answer.status_code in {401, 403}, (method, path)


def is_open(path: str) -> bool:
    return path in OPEN or is_under(path, "/console/static")


async def test_what_is_open_is_these_and_no_more(serving, tokens):
    async with serving(tokens=tokens) as service:
        found = {path for _, path in console_routes(service) if is_open(path)}
    assert found - {path for path in found if is_under(path, "/console/static")} == OPEN


@pytest.mark.parametrize(
    "path", ["//console/nothing", "/console//nothing", "/console/nothing/", "/console/", "/console/static/../nothing"]
)
async def test_no_way_of_writing_a_path_goes_around_the_guard(with_tokens, path):
    answer = await with_tokens.get(f"{URL}{path}")
    assert answer.status_code in {303, 404}
    assert "Sessions" not in answer.text


async def test_an_unsigned_page_knows_nobody(with_tokens):
    page = (await with_tokens.get(SIGN_IN)).text
    assert 'name="csrf"' not in page
    assert "/console/callbacks" not in page


async def test_styles_and_scripts_need_no_sign_in_and_may_be_kept(with_tokens):
    (style,) = [each for each in ASSET.findall((await with_tokens.get(SIGN_IN)).text) if "console.css" in each]
    answer = await with_tokens.get(style)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers


async def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(with_tokens):
    here = {"hx-request": "true", "hx-current-url": f"{URL}/console/sessions?q=1"}
    answer = await with_tokens.get("/console/part", headers=here)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, f"{SIGN_IN}?next=/console/sessions%3Fq%3D1")
    elsewhere = here | {"hx-current-url": "https://evil.example//evil.example"}
    answer = await with_tokens.get("/console/part", headers=elsewhere)
    assert answer.headers["hx-redirect"] == f"{SIGN_IN}?next=/console/sessions"


async def test_a_part_of_a_page_that_says_it_is_nowhere_is_led_to_the_first(with_tokens):
    here = {"hx-request": "true", "hx-current-url": "http://[x"}
    answer = await with_tokens.get("/console/part", headers=here)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, f"{SIGN_IN}?next=/console/sessions")
    assert answer.headers["x-frame-options"] == "DENY"


async def test_a_stream_is_not_led_anywhere(with_tokens):
    assert (await with_tokens.get("/console/live", headers={"accept": "text/event-stream"})).status_code == 401


@pytest.mark.parametrize("path", ["/console/nothing", SIGN_IN, "/console", "/console/static/x/console.css"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_answer_tells_the_browser_to_run_and_send_nothing_but_our_own(with_tokens, path, method):
    for _ in range(2):
        answer = await with_tokens.request(method, path)
        for name, value in HEADERS.items():
            assert answer.headers[name.decode()] == value.decode()
        assert answer.headers["cache-control"] == "no-store"
        await with_tokens.paste("token-of-a-reader")


def test_the_policy_allows_nothing_inline_and_nobody_else():
    policy = HEADERS[b"content-security-policy"].decode()
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["form-action"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.fixture
async def signed_in(with_tokens):
    assert (await with_tokens.paste("token-of-support")).status_code == 303
    return with_tokens


@pytest.mark.parametrize("csrf", ["", "wrong", "é"])
async def test_an_act_without_the_secret_of_its_sign_in_is_refused(signed_in, csrf):
    for given in ({"data": {"csrf": csrf}}, {"headers": {"x-csrf-token": csrf.encode()}}, {"json": {"csrf": csrf}}):
        with capture_logs() as logs:
            assert (await signed_in.post("/console/sign-out", **given)).status_code == 403
        assert {"event": "act_refused", "reason": "csrf", "log_level": "warning"} in logs
    assert await signed_in.is_in()


async def test_the_secret_of_another_sign_in_is_refused(serving, tokens):
    async with serving(tokens=tokens) as service, Person(service) as one, Person(service) as other:
        await one.paste("token-of-support")
        await other.paste("token-of-support")
        csrf = await other.csrf()
        assert csrf != await one.csrf()
        assert (await one.post("/console/sign-out", data={"csrf": csrf})).status_code == 403
        assert await one.is_in()


async def test_the_secret_may_come_in_a_header(signed_in):
    answer = await signed_in.post("/console/sign-out", headers={"x-csrf-token": await signed_in.csrf()})
    assert answer.status_code == 200
    assert not await signed_in.is_in()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_every_method_that_acts_must_prove_itself(signed_in, method):
    assert (await signed_in.request(method, "/console/anything")).status_code == 403


async def test_a_body_in_pieces_is_read_once_and_whole(signed_in):
    async def pieces():
        for piece in ("csrf=", await signed_in.csrf(), "&x=1"):
            yield piece.encode()

    answer = await signed_in.post("/console/sign-out", content=pieces(), headers=FORM)
    assert answer.status_code == 200


async def test_a_form_that_is_too_large_is_not_read_to_its_end(signed_in):
    answer = await signed_in.post("/console/sign-out", content=b"x" * 70_000, headers=FORM)
    assert answer.status_code == 413
    assert "content-security-policy" in answer.headers


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:3000"},
    {"origin": "null"},
    {"sec-fetch-site": "none", "origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_an_act_that_another_page_has_sent_is_refused_though_it_has_the_secret(signed_in, headers):
    answer = await signed_in.post("/console/sign-out", data={"csrf": await signed_in.csrf()}, headers=headers)
    assert answer.status_code == 403
    assert await signed_in.is_in()


@pytest.mark.parametrize("headers", FOREIGN)
async def test_nobody_is_signed_in_by_another_page(with_tokens, headers):
    answer = await with_tokens.post(SIGN_IN, data={"token": "token-of-a-reader"}, headers=headers)
    assert answer.status_code == 403
    assert COOKIE not in with_tokens.cookies


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": URL}, {}])
async def test_an_act_of_our_own_is_taken(signed_in, headers):
    answer = await signed_in.post("/console/sign-out", data={"csrf": await signed_in.csrf()}, headers=headers)
    assert answer.status_code == 200


async def test_behind_a_proxy_the_url_that_is_configured_is_ours(serving, tokens):
    async with serving(tokens=tokens, console={"url": URL}) as service, Person(service, "https://backend") as person:
        assert (await person.paste("token-of-a-reader")).status_code == 303


class TestOnThisMachine:
    async def test_whoever_comes_is_signed_in_silently_and_is_an_admin(self, local):
        answer = await local.get("/console/nothing")
        assert answer.status_code == 404
        assert "with the role admin" in answer.text
        assert COOKIE in local.cookies
        first = local.cookies[COOKIE]
        assert "set-cookie" not in (await local.get("/console/nothing")).headers
        assert local.cookies[COOKIE] == first

    @pytest.mark.parametrize("dest", ["image", "empty", "iframe"])
    async def test_a_page_of_somebody_else_has_nobody_signed_in(self, local, dest):
        """It could else fill the store, a sign-in for each picture."""
        foreign = {"sec-fetch-site": "cross-site", "sec-fetch-dest": dest}
        for path in ("/console/nothing", SIGN_IN):
            assert "set-cookie" not in (await local.get(path, headers=foreign)).headers
        assert await rows(local.service.database, "SELECT digest FROM sign_ins") == []

    async def test_a_link_from_a_page_of_somebody_else_is_followed(self, local):
        answer = await local.get("/console", headers={"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"})
        assert answer.headers["location"] == "/console/sessions"
        assert COOKIE in local.cookies

    async def test_there_is_nothing_to_sign_in_with(self, local):
        answer = await local.get(SIGN_IN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sessions")

    async def test_an_act_takes_the_secret_there_as_well(self, local):
        assert (await local.post("/console/anything")).status_code == 401
        csrf = await local.csrf()
        assert (await local.post("/console/anything", data={"csrf": "x"})).status_code == 403
        assert (await local.post("/console/sign-out", data={"csrf": csrf})).status_code == 200

    @pytest.mark.parametrize("headers", FOREIGN)
    @pytest.mark.parametrize("path", ["/console/sign-out", "/v1/endpoints", "/v1/callbacks/x/retry"])
    async def test_a_page_of_somebody_else_in_a_browser_there_can_do_nothing(self, local, headers, path):
        given = {"data": {"csrf": await local.csrf()}, "headers": headers}
        answer = await local.post(path, **given)
        assert (answer.status_code, answer.json()["title"]) == (403, "Foreign page")

    async def test_nobody_else_is_let_in(self, serving):
        async with serving() as service, Person(service) as person:
            answer = await person.get("/console/nothing")
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)

    async def test_a_sign_in_from_there_ends_when_the_house_is_guarded(self, serving, tokens):
        async with serving() as service, Person(service, "https://localhost") as person:
            await person.get("/console")
            cookie = person.cookies[COOKIE]
        async with serving(tokens=tokens) as service, Person(service, cookies={COOKIE: cookie}) as person:
            assert not await person.is_in()


async def test_where_the_console_is_not_wanted_there_is_none(serving, tokens):
    async with serving(console={"enabled": False}) as service, Person(service, "https://localhost") as person:
        assert (await person.get("/console")).status_code == 404
        assert (await person.get(SIGN_IN)).status_code == 404
    async with serving(console={"enabled": False}, tokens=tokens) as service, Person(service) as person:
        assert (await person.get("/console")).status_code in {401, 404}


async def test_a_store_that_is_away_is_a_page(serving, tokens):
    async with serving(tokens=tokens) as service, Person(service) as person:
        await person.paste("token-of-a-reader")
        async with service.database.writer.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE sign_ins RENAME TO elsewhere")
        answer = await person.get("/console/nothing")
    assert answer.status_code == 503
    assert answer.headers["x-frame-options"] == "DENY"
