"""Signing in by OpenID Connect, from the first click to the last, and everything that an attacker would try there."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

import forge
from databases import rows
from happenings import happen, in_text
from provider import SIGNER
from visits import COOKIE, ON_THE_WAY, SIGN_IN, URL, Person, go_there, query_of


async def test_a_person_signs_in_and_goes_on_to_the_page_they_wanted(with_provider, provider):
    refused = await with_provider.get("/console/sessions/x?tab=1")
    assert (refused.status_code, refused.headers["location"]) == (
        303,
        f"{SIGN_IN}?next=/console/sessions/x%3Ftab%3D1",
    )
    page = await with_provider.get(refused.headers["location"])
    assert f'href="{SIGN_IN}/provider?next=/console/sessions/x%3Ftab%3D1"' in page.text
    answer = await with_provider.sign_in_by_provider("/console/sessions/x?tab=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sessions/x?tab=1")
    page = await with_provider.get("/console/nothing")
    assert "marta" in page.text
    assert "support" in page.text


async def test_the_way_there_tells_the_provider_what_is_to_come_back_and_nothing_that_is_secret(
    with_provider, provider
):
    there = (await with_provider.get(f"{SIGN_IN}/provider")).headers["location"]
    asked = query_of(there)
    assert there.startswith(f"{provider.issuer}/authorize?")
    assert (asked["response_type"], asked["scope"], asked["client_id"]) == ("code", "openid profile", "console")
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (f"{URL}{SIGN_IN}/answer", "S256")
    seed = with_provider.cookies[ON_THE_WAY].partition(".")[0]
    secrets = {seed, asked["state"], asked["nonce"], asked["code_challenge"]}
    assert len(secrets) == 4
    assert "client_secret" not in asked


async def test_the_cookies_are_for_this_host_alone_and_for_no_script(with_provider):
    going = await with_provider.get(f"{SIGN_IN}/provider")
    coming = await with_provider.get(go_there(going.headers["location"]))
    way, (made, forgotten) = going.headers["set-cookie"], coming.headers.get_list("set-cookie")
    for cookie in (way, made, forgotten):
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert way.startswith(f"{ON_THE_WAY}=")
    assert "Max-Age=600" in way
    assert made.startswith(f"{COOKIE}=")
    assert "Max-Age" not in made
    assert forgotten.startswith(f'{ON_THE_WAY}=""')
    assert "Max-Age=0" in forgotten


async def test_what_somebody_does_is_kept_with_their_account_at_the_provider(with_provider, provider):
    await with_provider.sign_in_by_provider()
    session = await happen(with_provider, *forge.story(1))
    answer = await with_provider.act(f"/console/sessions/{session}/note", reason="She called")
    assert answer.status_code == 303
    assert "account 248289761001" in in_text((await with_provider.get("/console/audit")).text)
    (kept,) = await rows(with_provider.service.database, "SELECT actor, account FROM audit_entries")
    assert (kept[0], json.loads(kept[1])) == ("marta", {"iss": provider.issuer, "sub": "248289761001"})


async def test_no_token_of_the_provider_s_is_kept_or_logged(serving, by_provider, provider):
    provider.person.pop("roles")
    provider.userinfo = {"roles": ["statekeeper-admin"]}
    with capture_logs() as logs:
        async with serving(**by_provider) as service, Person(service) as person:
            await person.sign_in_by_provider()
            kept = str(await rows(service.database, "SELECT * FROM sign_ins"))
            cookie = person.cookies[COOKIE]
    assert len(provider.tokens) == 3
    for secret in (*provider.tokens, provider.client_secret, cookie):
        assert secret not in kept
        assert secret not in str(logs)


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["other", "statekeeper-reader"], "reader"),
        ("statekeeper-support", "support"),
        (["statekeeper-reader", "statekeeper-admin"], "admin"),
    ],
)
async def test_the_highest_role_that_the_claim_gives_counts(with_provider, provider, roles, role):
    provider.person["roles"] = roles
    await with_provider.sign_in_by_provider()
    assert f"with the role {role}" in (await with_provider.get("/console/nothing")).text


async def test_the_roles_may_stand_deep_in_a_claim_and_have_names_of_their_own(serving, by_provider, provider):
    provider.person["realm_access"] = {"roles": ["crm-desk"]}
    by_provider["oidc"] |= {"roles_claim": "realm_access.roles", "supporters": ["crm-desk"], "name_claim": "email"}
    provider.person["email"] = "marta@bank.example"
    async with serving(**by_provider) as service, Person(service) as person:
        await person.sign_in_by_provider()
        page = (await person.get("/console/nothing")).text
    assert "marta@bank.example" in page
    assert "with the role support" in page


async def test_roles_that_stand_deep_are_asked_for_where_the_id_token_has_the_rest_of_the_claim(
    serving, by_provider, provider
):
    provider.person["realm_access"] = {}
    provider.userinfo = {"realm_access": {"roles": ["statekeeper-support"]}}
    by_provider["oidc"] |= {"roles_claim": "realm_access.roles"}
    async with serving(**by_provider) as service, Person(service) as person:
        await person.sign_in_by_provider()
        assert "with the role support" in (await person.get("/console/nothing")).text


async def test_a_claim_that_the_id_token_lacks_is_asked_for(with_provider, provider):
    provider.person.pop("roles")
    provider.userinfo = {"roles": ["statekeeper-admin"]}
    await with_provider.sign_in_by_provider()
    assert "with the role admin" in (await with_provider.get("/console/nothing")).text
    assert provider.asked.count("/userinfo") == 1


async def test_what_is_said_of_somebody_else_is_not_taken(with_provider, provider):
    provider.person.pop("roles")
    provider.userinfo = {"sub": "another", "roles": ["statekeeper-admin"]}
    assert (await with_provider.sign_in_by_provider()).status_code == 403
    assert not await with_provider.is_in()


@pytest.mark.parametrize("roles", [[], ["other"], None, 7, {"statekeeper-admin": True}, [["statekeeper-admin"]]])
async def test_whoever_has_no_role_is_told_which_claim_lacks_what(with_provider, provider, roles):
    provider.person["roles"] = roles
    answer = await with_provider.sign_in_by_provider()
    assert answer.status_code == 403
    for word in ("marta", "roles", "statekeeper-admin, statekeeper-reader, statekeeper-support"):
        assert word in answer.text
    assert not await with_provider.is_in()


def by_another_key(claims):
    return jwt.encode(claims, forge.signer("stranger").private, "RS256", {"kid": SIGNER})


def by_an_unknown_key(claims):
    return jwt.encode(claims, forge.signer("stranger").private, "RS256", {"kid": "stranger"})


def unsigned(claims):
    return jwt.encode(claims, None, "none")


def by_the_public_key_as_a_secret(claims):
    """The classic: PyJWT itself refuses to make one, so that it is made by hand."""
    public = forge.signer(SIGNER).private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": SIGNER}, claims)
    )
    signature = jwt.get_algorithm_by_name("HS256").sign(head + b"." + body, pem)
    return b".".join([head, body, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def with_no_signature(claims):
    return forge_signature(claims, "")


def forge_signature(claims, signature):
    good = jwt.encode(claims, forge.signer(SIGNER).private, "RS256", {"kid": SIGNER})
    return f"{good.rpartition('.')[0]}.{signature}"


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        (by_another_key, "signature"),
        (by_an_unknown_key, "unknown_key"),
        (unsigned, "algorithm"),
        (by_the_public_key_as_a_secret, "algorithm"),
        (with_no_signature, "signature"),
        (lambda _: "no token", "not_a_token"),
    ],
)
async def test_an_id_token_that_the_provider_has_not_signed_is_not_believed(with_provider, provider, sign, reason):
    provider.sign = sign
    await assert_refused(with_provider, reason)


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"nonce": "of-another-sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another-client"}, "audience"),
        ({"aud": ["console", "another-client"]}, "audience"),
        ({"aud": ["console", "another-client"], "azp": "another-client"}, "audience"),
        ({"azp": "another-client"}, "audience"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"exp": None}, "claims"),
        ({"iat": int(time.time()) + 3600}, "not_yet"),
        ({"iat": "now"}, "claims"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
    ],
)
async def test_an_id_token_for_somebody_else_or_another_time_is_not_believed(with_provider, provider, bent, reason):
    provider.bend = lambda claims: {name: value for name, value in (claims | bent).items() if value is not None}
    await assert_refused(with_provider, reason)


async def test_an_id_token_for_several_is_believed_if_it_was_made_for_us(with_provider, provider):
    provider.bend = lambda claims: claims | {"aud": ["console", "another-client"], "azp": "console"}
    assert (await with_provider.sign_in_by_provider()).status_code == 303


async def assert_refused(person, reason, status=403):
    with capture_logs() as logs:
        answer = await person.sign_in_by_provider()
    assert answer.status_code == status
    assert [(each["event"], each["reason"]) for each in logs] == [("sign_in_refused", reason)]
    assert not await person.is_in()
    assert ON_THE_WAY not in person.cookies


async def test_an_answer_with_another_state_is_not_taken(with_provider, provider):
    back = await with_provider.way_back()
    answer = await with_provider.get(back.replace(query_of(back)["state"], "A" * 43))
    assert answer.status_code == 400
    assert "/token" not in provider.asked
    assert not await with_provider.is_in()
    assert (await with_provider.get(back)).status_code == 303, "the journey itself has not been spoilt"


@pytest.mark.parametrize("cookie", [None, "", "x.y", "x" * 43, f"{'x' * 43}.!", f"{'x' * 43}.{'L2NvbnNvbGU='}"])
async def test_an_answer_in_a_browser_that_has_not_asked_is_not_taken(with_provider, provider, cookie):
    """Else an attacker could have their victim signed in as the attacker, by a link."""
    back = await with_provider.way_back()
    with_provider.cookies.clear()
    headers = {} if cookie is None else {"cookie": f"{ON_THE_WAY}={cookie}"}
    assert (await with_provider.get(back, headers=headers)).status_code == 400
    assert "/token" not in provider.asked
    assert not await with_provider.is_in()


async def test_a_code_is_good_once(with_provider):
    back, way = await with_provider.way_back(), with_provider.cookies[ON_THE_WAY]
    assert (await with_provider.get(back)).status_code == 303
    with_provider.cookies.clear()
    answer = await with_provider.get(back, headers={"cookie": f"{ON_THE_WAY}={way}"})
    assert answer.status_code == 403
    assert not await with_provider.is_in()


async def test_a_code_that_was_stolen_is_of_no_use_in_another_browser(with_provider, provider):
    stolen = query_of(await with_provider.way_back())["code"]
    with_provider.cookies.clear()
    own = await with_provider.way_back()
    answer = await with_provider.get(own.replace(query_of(own)["code"], stolen))
    assert answer.status_code == 403, "the verifier is the other browser's"


async def test_whoever_the_provider_refuses_is_told_so(with_provider, provider):
    back = await with_provider.way_back()
    state = query_of(back)["state"]
    answer = await with_provider.get(f"{SIGN_IN}/answer?error=access_denied&error_description=<b>no&state={state}")
    assert answer.status_code == 403
    assert "<b>no" not in answer.text


async def test_an_answer_that_names_another_provider_is_not_taken(with_provider, provider):
    back = await with_provider.way_back()
    assert (await with_provider.get(f"{back}&iss=https://evil.example")).status_code == 403
    assert "/token" not in provider.asked


async def test_a_provider_that_says_it_names_itself_must_do_so(with_provider, provider):
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    back = await with_provider.way_back()
    assert (await with_provider.get(back)).status_code == 403
    back = await with_provider.way_back()
    assert (await with_provider.get(f"{back}&iss={provider.issuer}")).status_code == 303


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console/\\evil.example",
        "/consolex",
        "/v1/sessions",
        "/console/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/console@evil.example",
        f"{SIGN_IN}?next=/console",
        "",
    ],
)
async def test_nobody_is_led_away_after_signing_in(with_provider, goal):
    answer = await with_provider.sign_in_by_provider(goal)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sessions")


async def test_the_way_back_cannot_be_bent_in_the_cookie_either(with_provider):
    back = await with_provider.way_back()
    seed = with_provider.cookies[ON_THE_WAY].partition(".")[0]
    goal = base64.urlsafe_b64encode(b"https://evil.example").decode()
    with_provider.cookies.clear()
    answer = await with_provider.get(back, headers={"cookie": f"{ON_THE_WAY}={seed}.{goal}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sessions")


async def test_a_cookie_that_was_planted_is_worth_nothing(with_provider):
    planted = "planted-by-an-attacker-who-knows-this-value"
    with_provider.cookies.set(COOKIE, planted, domain="console.example")
    await with_provider.sign_in_by_provider()
    assert planted not in {each.value for each in with_provider.cookies.jar}


async def test_to_sign_in_again_ends_the_sign_in_before(with_provider):
    await with_provider.sign_in_by_provider()
    before = with_provider.cookies[COOKIE]
    await with_provider.sign_in_by_provider()
    assert with_provider.cookies[COOKIE] != before
    with_provider.cookies.clear()
    with_provider.cookies.set(COOKIE, before, domain="console.example")
    assert not await with_provider.is_in()


async def test_a_provider_that_is_away_is_a_page_that_says_so(with_provider, provider):
    provider.stop()
    answer = await with_provider.get(f"{SIGN_IN}/provider")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


async def test_a_provider_that_goes_away_on_the_way_is_a_page_as_well(with_provider, provider):
    back = await with_provider.way_back()
    provider.stop()
    assert (await with_provider.get(back)).status_code == 503
    assert not await with_provider.is_in()


async def test_a_provider_that_is_in_trouble_is_a_page_as_well(with_provider, provider):
    back = await with_provider.way_back()
    provider.status = 500
    assert (await with_provider.get(back)).status_code == 503


async def test_what_was_known_of_the_provider_stays_good_while_it_is_away(with_provider, provider):
    await with_provider.get(f"{SIGN_IN}/provider")
    provider.stop()
    assert (await with_provider.get(f"{SIGN_IN}/provider")).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "http://evil.example/jwks"},
        {"userinfo_endpoint": "http://evil.example/me"},
    ],
)
async def test_a_description_that_is_another_s_or_leads_over_an_unsafe_way_is_not_followed(
    with_provider, provider, metadata
):
    provider.metadata = metadata
    assert (await with_provider.get(f"{SIGN_IN}/provider")).status_code == 503


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], None])
async def test_the_client_proves_itself_as_the_provider_wants_it(with_provider, provider, methods):
    provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    assert (await with_provider.sign_in_by_provider()).status_code == 303


async def test_a_client_with_a_wrong_secret_lets_nobody_in(serving, by_provider):
    by_provider["oidc"]["client_secret"] = "wrong"
    async with serving(**by_provider) as service, Person(service) as person:
        assert (await person.sign_in_by_provider()).status_code == 403


async def test_to_sign_out_ends_the_sign_in_here_and_at_the_provider(with_provider, provider):
    await with_provider.sign_in_by_provider()
    cookie = with_provider.cookies[COOKIE]
    answer = await with_provider.act("/console/sign-out")
    assert answer.status_code == 200
    zero, _, further = answer.headers["refresh"].partition("; url=")
    assert zero == "0"
    assert query_of(further) == {"client_id": "console", "post_logout_redirect_uri": f"{URL}{SIGN_IN}"}
    assert further.startswith(f"{provider.issuer}/logout?")
    assert go_there(further) == f"{URL}{SIGN_IN}"
    assert COOKIE not in with_provider.cookies
    with_provider.cookies.set(COOKIE, cookie, domain="console.example")
    assert not await with_provider.is_in()


async def test_to_sign_out_works_without_the_provider(with_provider, provider):
    provider.metadata = {"end_session_endpoint": None}
    await with_provider.sign_in_by_provider()
    provider.stop()
    answer = await with_provider.act("/console/sign-out")
    assert answer.status_code == 200
    assert "refresh" not in answer.headers
    assert not await with_provider.is_in()


async def test_with_a_provider_and_no_tokens_nobody_may_ask_the_api(with_provider):
    await with_provider.sign_in_by_provider()
    answer = await with_provider.get("/v1/sessions")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert (await with_provider.get("/metrics")).status_code == 401


async def test_with_both_the_page_offers_both(serving, by_provider, tokens):
    async with serving(**by_provider, tokens=tokens) as service, Person(service) as person:
        page = (await person.get(SIGN_IN)).text
        assert page.index("/console/sign-in/provider") < page.index('name="token"')
        assert (await person.sign_in_by_provider()).status_code == 303


async def test_without_a_provider_there_is_no_way_to_one(with_tokens):
    assert (await with_tokens.get(f"{SIGN_IN}/provider")).status_code == 404
    assert (await with_tokens.get(f"{SIGN_IN}/answer")).status_code in {400, 404}


async def test_a_sign_in_ends_when_its_provider_is_no_longer_asked(serving, by_provider, tokens, provider):
    async with serving(**by_provider, tokens=tokens) as service, Person(service) as person:
        await person.sign_in_by_provider()
        cookie = person.cookies[COOKIE]
    async with serving(tokens=tokens) as service, Person(service, cookies={COOKIE: cookie}) as person:
        assert not await person.is_in()


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://id.example"},
        {"client_id": "another"},
        {"roles_claim": "groups"},
        {"supporters": ["statekeeper-support", "everybody"]},
    ],
)
async def test_a_sign_in_ends_when_another_provider_is_asked_or_its_claims_are_taken_otherwise(
    serving, by_provider, provider, changed
):
    async with serving(**by_provider) as service, Person(service) as person:
        await person.sign_in_by_provider()
        cookie = person.cookies[COOKIE]
    async with serving(**by_provider) as service, Person(service, cookies={COOKIE: cookie}) as person:
        assert await person.is_in()
    another = by_provider | {"oidc": by_provider["oidc"] | changed}
    async with serving(**another) as service, Person(service, cookies={COOKIE: cookie}) as person:
        assert not await person.is_in()
