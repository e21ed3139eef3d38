"""The two cookies that matter: who is signed in, and who is on the way to the provider and back.

`__Host-` in the name has the browser see to it that nobody but this host has set it, over https (or on this machine),
for all of it and for nobody else: a sister domain can plant none. `HttpOnly` keeps scripts away; `SameSite=Lax` keeps
them from going along with what another page sends, but for links to here, which change nothing.
Source: RFC 6265bis, section 4.1.3.2.
"""

from typing import Final

from litestar.datastructures import Cookie

from statekeeper.console.entrance.journey import MINUTES

SIGNED_IN: Final = "__Host-statekeeper"
ON_THE_WAY: Final = "__Host-statekeeper-sign-in"


def signed_in(value: str) -> Cookie:
    """It ends with the browser, or when the store says so."""
    return _cookie(SIGNED_IN, value, None)


def on_the_way(value: str) -> Cookie:
    return _cookie(ON_THE_WAY, value, MINUTES * 60)


def forget(name: str) -> Cookie:
    return _cookie(name, "", 0)


def _cookie(name: str, value: str, max_age: int | None) -> Cookie:
    return Cookie(name, value=value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")
