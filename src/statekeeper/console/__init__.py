"""The console: pages for a person who asks what happened to a session, when and why, and who may act on it.

Handlers read what was asked, ask the queries or perform an act, and fill a template; `pages` renders it in the
visitor's language. All that is listed in `PAGES` stands behind the guard; what is open stands in `OPEN`.
"""

from typing import Final

from litestar import Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from statekeeper.console.acting import do_act, show_act
from statekeeper.console.callbacks import list_callbacks, stream_standings
from statekeeper.console.endpoints import ENDPOINT_PAGES
from statekeeper.console.entrance.guard import Guard, require_visitor
from statekeeper.console.entrance.signing_in import ENTRANCES, EXITS
from statekeeper.console.failures import answer_page
from statekeeper.console.forms import HOME
from statekeeper.console.listing import list_sessions, watch_sessions
from statekeeper.console.overview import get_overview, stream_overview
from statekeeper.console.preferences import change_preferences
from statekeeper.console.rendering.assets import get_asset
from statekeeper.console.session import get_session_page, stream_session_page
from statekeeper.console.trail import list_trail

__all__ = ["Guard", "routes"]

_WITHIN: Final = ("", "sessions/{key:str}/", "callbacks/{key:str}/", "endpoints/{name:str}/{act:str}/")
_NOWHERE: Final = [f"/console/{within}{{rest:path}}" for within in _WITHIN]


@get("/console")
async def get_home() -> Redirect:
    """The first page is that of the sessions."""
    return Redirect(HOME)


@get(_NOWHERE)
async def get_nothing(rest: FromPath[str]) -> None:  # noqa: ARG001 -- whatever it is
    """Whatever is no page is told so on one."""
    raise NotFoundException


OPEN: Final = (get_asset, change_preferences, *ENTRANCES)
PAGES: Final = (
    get_home,
    list_sessions,
    watch_sessions,
    get_session_page,
    stream_session_page,
    get_overview,
    stream_overview,
    list_callbacks,
    stream_standings,
    show_act,
    do_act,
    *ENDPOINT_PAGES,
    list_trail,
    get_nothing,
    *EXITS,
)


def routes() -> tuple[Router, ...]:
    """The console's routes, for the app."""
    behind = Router("/", route_handlers=PAGES, guards=[require_visitor], exception_handlers={Exception: answer_page})
    return Router("/", route_handlers=OPEN, exception_handlers={Exception: answer_page}), behind
