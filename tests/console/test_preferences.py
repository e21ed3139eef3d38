"""How somebody likes pages shown, from the form to the page."""

import pytest

PAGE = "/console/sessions"


async def choose(local, **fields):
    given = {"csrf": await local.csrf(), **fields}
    return await local.post("/console/preferences", data=given, headers={"origin": "https://localhost"})


@pytest.mark.parametrize(
    ("field", "value", "shown"), [("theme", "dark", 'data-theme="dark"'), ("language", "en", 'lang="en"')]
)
async def test_what_is_chosen_is_kept_and_shown(local, field, value, shown):
    answer = await choose(local, next=f"{PAGE}?state=error", **{field: value})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?state=error")
    cookie = answer.headers["set-cookie"]
    assert all(mark in cookie for mark in ("HttpOnly", "Secure", "SameSite=lax", "Path=/console"))
    assert shown in (await local.get(PAGE)).text


async def test_what_there_is_none_of_is_not_kept(local):
    answer = await choose(local, theme="sepia", language="tlh")
    assert "set-cookie" not in answer.headers


async def test_a_cookie_that_says_nonsense_is_overlooked(local):
    local.cookies.set("statekeeper-theme", '"><script>')
    local.cookies.set("statekeeper-language", "../../etc/passwd")
    answer = await local.get(PAGE)
    assert answer.status_code == 200
    assert 'lang="en" data-theme="auto"' in answer.text


async def test_the_form_leads_back_to_what_was_filtered(local):
    assert (
        f'name="next" value="{PAGE}?state=error&amp;gap=true"' in (await local.get(f"{PAGE}?state=error&gap=true")).text
    )
