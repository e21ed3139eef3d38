"""What is answered to whoever is not let in: the way to the sign-in and back, or a page that says why not."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog
from litestar import Response

from statekeeper.console.forms import local_path
from statekeeper.console.pages import page
from statekeeper.console.visitor import Asked
from statekeeper.explanation.sentences import N_

SIGN_IN: Final = "/console/sign-in"
EVENTS: Final = "text/event-stream"
_FOREIGN: Final = N_("Another page has sent this. Nothing was changed; do it again here, on a page of the console.")
_UNPROVED: Final = N_("This form is not of your sign-in, or too old. Nothing was changed; open the page again.")
_NOT_SIGNED_IN: Final = N_("You are not signed in any more. Nothing was changed; sign in, and do it again.")
_REFUSED: Final = N_("That is not allowed")
_SIGN_IN_FIRST: Final = N_("Sign in first")
log = structlog.get_logger()


def way_to_sign_in(goal: str) -> str:
    """The sign-in's address, for whoever wants to go on to `goal`."""
    return f"{SIGN_IN}?next={quote(local_path(goal), safe='/')}"


def show_the_way(request: Asked) -> Response[Any]:
    """A page leads to the sign-in and back again; a part of a page does so for the whole; an act cannot."""
    if request.headers.get("hx-request"):
        answer = _refuse(request, 401, _SIGN_IN_FIRST, _NOT_SIGNED_IN)
        answer.headers["HX-Redirect"] = way_to_sign_in(_relative(request.headers.get("hx-current-url", "")))
        return answer
    if request.method == "GET" and EVENTS not in request.headers.get("accept", ""):
        query = request.scope["query_string"]
        goal = request.scope["raw_path"] + (b"?" + query if query else b"")
        headers = {"Location": way_to_sign_in(goal.decode("latin-1"))}
        return Response(None, status_code=HTTPStatus.SEE_OTHER, headers=headers)
    return _refuse(request, 401, _SIGN_IN_FIRST, _NOT_SIGNED_IN)


def refuse_foreign(request: Asked) -> Response[str]:
    """A page of another origin has sent an act."""
    log.warning("act_refused", reason="foreign")
    return _refuse(request, 403, _REFUSED, _FOREIGN)


def refuse_unproved(request: Asked) -> Response[str]:
    """An act came without the secret of its sign-in."""
    log.warning("act_refused", reason="csrf")
    return _refuse(request, 403, _REFUSED, _UNPROVED)


def _refuse(request: Asked, status: int, title: str, detail: str) -> Response[str]:
    return page(request, "error.html", status=status, title=title, detail=detail)


def _relative(url: str) -> str:
    """An address without its host; empty where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
