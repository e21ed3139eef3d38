"""With a token, and for how long somebody stays signed in: on both engines, through HTTP."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from databases import rows
from statekeeper.console.entrance.patience import FAILURES
from visits import COOKIE, SIGN_IN, Person


@pytest.fixture
async def person(serving, tokens, database, database_url) -> AsyncIterator[Person]:
    async with serving(tokens=tokens, database_url=database_url) as service, Person(service) as person:
        yield person


async def seen(database):
    return await rows(database, "SELECT seen_at FROM sign_ins")


async def test_a_token_is_pasted_once_and_its_role_is_the_visitor_s(person, database):
    answer = await person.paste(" token-of-support\n", next="/console/overview")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/overview")
    page = (await person.get("/console/nothing")).text
    assert "the support" in page
    assert "with the role support" in page
    kept = str(await rows(database, "SELECT * FROM sign_ins"))
    assert "token-of-support" not in kept
    assert person.cookies[COOKIE] not in kept


async def test_whoever_does_nothing_for_a_while_is_signed_out(person, clock):
    await person.paste("token-of-a-reader")
    clock.advance(1799)
    assert await person.is_in()
    clock.advance(1800)
    assert not await person.is_in()


async def test_nobody_stays_signed_in_for_ever(person, clock):
    await person.paste("token-of-a-reader")
    for _ in range(42):
        clock.advance(1000)
        assert await person.is_in()
    clock.advance(1200)
    assert not await person.is_in()


async def test_it_is_written_at_most_once_a_minute_that_somebody_was_there(person, clock, database):
    await person.paste("token-of-a-reader")
    begun = await seen(database)
    clock.advance(59)
    await person.get("/console/nothing")
    assert await seen(database) == begun
    clock.advance(1)
    await person.get("/console/nothing")
    assert await seen(database) != begun


async def test_to_sign_out_ends_it_everywhere(person, database):
    await person.paste("token-of-a-reader")
    cookie = person.cookies[COOKIE]
    answer = await person.act("/console/sign-out")
    assert "You are signed out" in answer.text
    assert 'name="csrf"' not in answer.text
    assert await rows(database, "SELECT digest FROM sign_ins") == []
    person.cookies.set(COOKIE, cookie, domain="console.example")
    assert not await person.is_in()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_a_sign_in_is_good_on_every_node(person, serving, tokens, database_url):
    await person.paste("token-of-support")
    cookies = dict(person.cookies)
    async with serving(tokens=tokens, database_url=database_url) as node, Person(node, cookies=cookies) as elsewhere:
        assert await elsewhere.is_in()
        await elsewhere.act("/console/sign-out")
    assert not await person.is_in()


@pytest.mark.parametrize("token", ["", "wrong", "token-of-a-reade", "é", "x" * 10_000])
async def test_a_token_that_is_not_known_is_a_form_that_says_so(with_tokens, token):
    with capture_logs() as logs:
        answer = await with_tokens.paste(token, next="/console/overview")
    assert answer.status_code == 401
    assert "This token is not known here" in answer.text
    assert 'value="/console/overview"' in answer.text
    assert COOKIE not in with_tokens.cookies
    assert logs == [{"event": "sign_in_refused", "reason": "token", "log_level": "info"}]


async def test_a_wrong_token_is_not_repeated(with_tokens):
    assert "my-very-own-secret" not in (await with_tokens.paste("my-very-own-secret")).text


async def test_whoever_tries_too_many_must_wait(with_tokens):
    for _ in range(FAILURES):
        assert (await with_tokens.paste("wrong")).status_code == 401
    answer = await with_tokens.paste("token-of-an-admin")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert not await with_tokens.is_in()


async def test_nobody_is_led_away_after_pasting_a_token(with_tokens):
    answer = await with_tokens.paste("token-of-a-reader", next="//evil.example")
    assert answer.headers["location"] == "/console/sessions"


async def test_a_cookie_that_was_planted_is_replaced(with_tokens):
    with_tokens.cookies.set(COOKIE, "planted", domain="console.example")
    await with_tokens.paste("token-of-a-reader")
    assert "planted" not in {each.value for each in with_tokens.cookies.jar}


async def test_without_tokens_there_is_no_form(with_provider):
    assert 'name="token"' not in (await with_provider.get(SIGN_IN)).text
    assert (await with_provider.paste("token-of-an-admin")).status_code == 401


async def test_whoever_is_in_goes_on(with_tokens):
    await with_tokens.paste("token-of-a-reader")
    answer = await with_tokens.get(f"{SIGN_IN}?next=/console/overview")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/overview")


@pytest.mark.parametrize(
    ("left", "role"),
    [
        ([], None),
        ([{"role": "reader"}], "reader"),
        ([{"sha256": "9f" * 32}], None),
        ([{"name": "somebody"}], None),
    ],
    ids=["none", "of another role", "another of this name", "of another name"],
)
async def test_a_sign_in_is_good_for_what_its_token_is_good_for_now(serving, tokens, left, role):
    async with serving(tokens=tokens) as service, Person(service) as person:
        await person.paste("token-of-support")
        cookie = person.cookies[COOKIE]
    others = [each for each in tokens if each["name"] != "the support"]
    (was,) = [each for each in tokens if each["name"] == "the support"]
    now = [{**was, **each} for each in left]
    async with serving(tokens=[*others, *now]) as service, Person(service, cookies={COOKIE: cookie}) as person:
        assert await person.is_in() is (role is not None)
        if role:
            assert f"with the role {role}" in (await person.get("/console/nothing")).text


async def test_whoever_speaks_german_is_asked_in_german(with_tokens):
    answer = await with_tokens.get(SIGN_IN, headers={"accept-language": "de-DE,de;q=0.9"})
    assert "Mit einem Token anmelden" in answer.text
