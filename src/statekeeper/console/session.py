"""The page of one session: what happened, when and why, and who was told of it.

Its body is one template, sent with the page, and again whenever anything of it has changed: by server-sent events, as a
frame that htmx morphs into the page, so that what is unfolded stays so, and nobody loses his place.
"""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ASGIApp

from statekeeper.api.wiring import Wiring, wiring
from statekeeper.console.live import live
from statekeeper.console.pages import page, render
from statekeeper.console.telling import Telling, now, tell
from statekeeper.console.visitor import Asked, visitor
from statekeeper.core.events import parse_uuid
from statekeeper.explanation.beliefs import WORDS

CLAIMS: Final = "support"


@get("/console/sessions/{session_id:str}")
async def get_session_page(request: Asked, session_id: FromPath[str]) -> Response[str] | Redirect:
    """One session; an id that is not written as ours are leads to the one that is."""
    key, parts = parse_uuid(session_id), wiring(request.scope)
    if key is not None and str(key) != session_id:
        return Redirect(address(key), status_code=308)
    told = await _tell(request, parts, key) if key else None
    if told is None:
        return page(request, "session/unknown.html", status=404, asked=session_id, is_id=key is not None)
    return page(request, "session/page.html", **_shown(parts, told))


@get("/console/sessions/{session_id:str}/live")
async def stream_session_page(request: Asked, session_id: FromPath[str]) -> ASGIApp:
    """The body of the page, as often as it changes; nothing for a session that is unknown."""
    key, parts = parse_uuid(session_id), wiring(request.scope)
    told = await _tell(request, parts, key) if key else None
    if key is None or told is None:
        return Response(b"", status_code=404).to_asgi_response(app=None, request=request)
    return live(request, _Body(request, key), key)


def address(session_id: UUID) -> str:
    """Where the page of a session is."""
    return f"/console/sessions/{session_id}"


async def _tell(request: Asked, parts: Wiring, key: UUID) -> Telling | None:
    return await tell(parts, key, claimed=visitor(request).may(CLAIMS))


def _shown(parts: Wiring, told: Telling) -> dict[str, Any]:
    return {"told": told, "case": told.case, "now": now(parts), "words": WORDS}


class _Body:
    """Makes the body of a page again only where something else is to be told: times go on by themselves."""

    def __init__(self, request: Asked, key: UUID) -> None:
        self._request, self._key = request, key
        self._told: Telling | None = None
        self._html = ""

    async def __call__(self) -> str:
        parts = wiring(self._request.scope)
        told = await _tell(self._request, parts, self._key)
        if told and not told.same(self._told):
            self._told, self._html = told, render(self._request, "session/body.html", **_shown(parts, told))
        return self._html
