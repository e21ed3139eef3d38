"""Who is let in to the console: closed to all but what is listed as open, whatever pages there are.

The guard stands before the routing and judges by path, so that a page made tomorrow is behind it by itself; `Router`s
of pages have `require_visitor` besides, which lets nobody in whom the guard has not seen. Whoever is not signed in is
shown the way to it; on this machine, where nobody need sign in, whoever comes is signed in silently, so that acts are
proved by the same secret there. A page of somebody else cannot have that done behind a person's back, as often as it
likes: only a link from there is followed.

An act takes two proofs that a page of ours has sent it: what the browser says of where it comes from, and the secret
of the sign-in, in the form or in a header (OWASP's synchronizer token), which no other origin can read.
"""

from typing import Any, Final

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from statekeeper.api.access import CONSOLE, is_under, path_of
from statekeeper.api.provenance import SAFE, is_foreign
from statekeeper.console.entrance import cookies
from statekeeper.console.entrance.headers import hardened
from statekeeper.console.entrance.reception import Reception, install
from statekeeper.console.entrance.refusals import SIGN_IN, refuse_foreign, refuse_unproved, show_the_way
from statekeeper.console.entrance.sign_ins import ANYBODY_HERE
from statekeeper.console.entrance.vigil import EVERY_SECONDS, Vigil
from statekeeper.console.entrance.visit import Visit, giving
from statekeeper.console.failures import answer_page
from statekeeper.console.live import is_live
from statekeeper.console.rendering import assets
from statekeeper.console.visitor import SCOPE_KEY, Asked, Visitor
from statekeeper.core.errors import StatekeeperError

OPEN: Final = frozenset({SIGN_IN, f"{SIGN_IN}/provider", f"{SIGN_IN}/answer", "/console/preferences"})


class Guard:
    """Around the whole app; whatever is not the console's goes past it."""

    def __init__(self, app: ASGIApp, reception: Reception, pause: float = EVERY_SECONDS) -> None:
        self._app = app
        self._reception = reception
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not is_under(path := path_of(scope), CONSOLE):
            await self._app(scope, receive, send)
            return
        send, visit = hardened(send), Visit(Request(scope), path, receive)
        try:
            refusal = await self._judge(visit)
        except StatekeeperError as error:
            refusal = answer_page(visit.request, error)
        if refusal is None:
            await self._let_pass(visit, giving(visit.gift, send))
        else:
            await refusal.to_asgi_response(app=None, request=visit.request)(scope, receive, send)

    async def _let_pass(self, visit: Visit, send: Send) -> None:
        """To the page, which may turn out to be a stream: what has no end is watched over."""
        scope, cookie = visit.request.scope, visit.request.cookies.get(cookies.SIGNED_IN)
        if visit.request.method != "GET" or is_under(visit.path, assets.ROOT):
            await self._app(scope, visit.receive, send)
            return
        vigil = Vigil(visit.receive, send, lambda: self._reception.sign_ins.holds(cookie), self._pause)
        await self._app(scope, vigil.receive, vigil.send)
        await vigil.close()

    async def _judge(self, visit: Visit) -> Response[Any] | None:
        """None if this request may pass, its visitor put where pages find them; else what is answered instead."""
        request, acts = visit.request, visit.request.method not in SAFE
        install(request.scope, self._reception)
        if is_under(visit.path, assets.ROOT):
            return None
        if acts and is_foreign(request.scope["headers"], self._reception.url):
            return refuse_foreign(request)
        visitor = await self._visitor(visit)
        request.scope[SCOPE_KEY] = visitor  # type: ignore[typeddict-unknown-key]
        if visit.path in OPEN:
            return None
        if visitor is None:
            return show_the_way(request)
        if acts and not await visit.proves(visitor.csrf):
            return refuse_unproved(request)
        return None

    async def _visitor(self, visit: Visit) -> Visitor | None:
        sign_ins, request = self._reception.sign_ins, visit.request
        visitor = await sign_ins.find(request.cookies.get(cookies.SIGNED_IN), seen=not is_live(visit.path))
        if visitor is None and not self._reception.access.guarded and _is_a_visit(request):
            value, visitor = await sign_ins.begin(ANYBODY_HERE)
            visit.gift = cookies.signed_in(value)
        return visitor


def _is_a_visit(request: Asked) -> bool:
    """Whether somebody looks at something, which is to be seen as a page if a page of somebody else has led here."""
    if request.method != "GET":
        return False
    return request.headers.get("sec-fetch-dest") == "document" or not is_foreign(request.scope["headers"])


def require_visitor(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """The lock on the pages themselves: whoever came past the guard unseen is not let in."""
    if connection.scope.get(SCOPE_KEY) is None:
        raise NotAuthorizedException
