"""Who looks at a page, and how they like it shown.

A visitor is who the guard let in; it put them into the request's scope, so that no page can be made for nobody. How
they like it (language, theme) is in cookies that hold no secret and are no proof of anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from litestar import Request
from litestar.connection import ASGIConnection

from statekeeper.api.access import Role
from statekeeper.console.rendering.words import negotiate

THEMES: Final = ("auto", "light", "dark")
LANGUAGE_COOKIE: Final = "statekeeper-language"
THEME_COOKIE: Final = "statekeeper-theme"
SCOPE_KEY: Final = "statekeeper.visitor"

Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in: `method` is how (`local`, `token` or `oidc`); each act must bear their `csrf` token.

    `account` is how their OpenID provider identifies them, if they came by one.
    """

    name: str
    role: Role
    method: str
    csrf: str
    account: Mapping[str, str] | None = None

    def may(self, role: str) -> bool:
        """Whether what takes this role (`reader`, `support`, `admin`) is allowed."""
        return self.role >= Role[role.upper()]


@dataclass(frozen=True, slots=True)
class Preferences:
    """How pages are shown: a language there is a catalogue of, and a theme."""

    language: str
    theme: str


def visitor(request: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    """Whom the guard let in."""
    return cast("Visitor", request.scope[SCOPE_KEY])  # type: ignore[typeddict-item]


def visitor_or_none(request: Asked) -> Visitor | None:
    """The same, where a page is also shown to those who are not signed in."""
    return cast("Visitor | None", request.scope.get(SCOPE_KEY))


def preferences(request: Asked) -> Preferences:
    """What the cookies say, or else what the browser asks for."""
    language = negotiate(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
    theme = request.cookies.get(THEME_COOKIE, THEMES[0])
    return Preferences(language, theme if theme in THEMES else THEMES[0])
