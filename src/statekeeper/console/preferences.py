"""How somebody likes the pages shown: kept in cookies of their browser, which prove nothing and say nothing secret."""

from typing import Any, Final

from litestar import Response, post
from litestar.datastructures import Cookie

from statekeeper.console.forms import local_path, read_form
from statekeeper.console.rendering.words import LANGUAGES
from statekeeper.console.visitor import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Asked

_YEAR: Final = 365 * 86_400


@post("/console/preferences", status_code=303)
async def change_preferences(request: Asked) -> Response[None]:
    """Remember a language or a theme, and go back to where the visitor was."""
    form = await read_form(request)
    wanted = ((LANGUAGE_COOKIE, form.get("language"), LANGUAGES), (THEME_COOKIE, form.get("theme"), THEMES))
    cookies = [_cookie(name, value) for name, value, known in wanted if value in known]
    headers = {"Location": local_path(form.get("next"))}
    return Response(None, status_code=303, cookies=cookies, headers=headers)


def _cookie(name: str, value: Any) -> Cookie:  # noqa: ANN401 -- one of the known ones
    return Cookie(name, value=str(value), path="/console", max_age=_YEAR, httponly=True, secure=True, samesite="lax")
