"""The page *Callbacks*: what is due, dead or delivered, by whom it is owed to, and how each endpoint fares.

A callback's place in the list is when it was made, and never another, so that a page that is appended repeats nothing.
How the endpoints fare is kept as it should be while somebody looks at it; the rows stay as they were asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.types import ASGIApp

from statekeeper.api.parameters import Parameters
from statekeeper.api.wiring import Wiring, wiring
from statekeeper.console.live import live
from statekeeper.console.pages import page, render
from statekeeper.console.standing import standings
from statekeeper.console.telling import now
from statekeeper.console.visitor import Asked, preferences, visitor
from statekeeper.explanation.sentences import N_
from statekeeper.store.pages import DEFAULT_LIMIT
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.views import CallbackPage
from statekeeper.watchers import FEED

ROOT: Final = "/console/callbacks"
DUE: Final = "due"
TABS: Final = {
    "": N_("all"),
    DUE: N_("due now"),
    "pending": N_("not delivered yet"),
    "dead": N_("dead"),
    "delivered": N_("delivered"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which callbacks somebody wants listed: a tab, a subscriber, and where the page begins."""

    status: str = ""
    subscriber: str | None = None
    cursor: str | None = None

    def filter(self, now: datetime) -> CallbackFilter:
        """For the store; what is due is pending, and its time has come."""
        due = self.status == DUE
        status = "pending" if due else self.status
        return CallbackFilter((status,) if status else (), self.subscriber, now if due else None)

    def address(self, **other: str | None) -> str:
        """Where the list is, with something in it other than here; it begins at the newest unless a cursor is given."""
        names = {"status": self.status, "subscriber": self.subscriber, **other}
        query = urlencode({name: value for name, value in names.items() if value})
        return f"{ROOT}?{query}" if query else ROOT


@get(ROOT)
async def list_callbacks(request: Asked) -> Response[Any]:
    """The whole page; or the next rows, where a script asks for them."""
    parts, wanted = wiring(request.scope), read_wanted(request.scope["query_string"])
    listed = await parts.queries.callbacks.page(wanted.filter(now(parts)), DEFAULT_LIMIT, wanted.cursor)
    if request.headers.get("hx-request") == "true" and wanted.cursor:
        answer = page(request, "callbacks/rows.html", wanted=wanted, listed=listed)
    else:
        answer = await _whole(request, parts, wanted, listed)
    answer.headers["Vary"] = "HX-Request"
    return answer


@get(f"{ROOT}/live")
async def stream_standings(request: Asked) -> ASGIApp:
    """How the endpoints fare, whenever that has become another."""
    parts = wiring(request.scope)

    key = ("standings", preferences(request).language, visitor(request).role)

    async def make() -> str:
        return render(request, "callbacks/standings.html", standings=await standings(parts))

    return live(request, lambda: parts.shared.get(key, make), FEED)


def read_wanted(query: bytes) -> Wanted:
    """What an address asks for; an empty field of a form is as good as none. Raises `QueryRefused`."""
    values = Parameters.read(query, ("status", "subscriber", "cursor")).values
    given = Parameters({name: each for name, each in values.items() if each != [""]})
    status = given.choices("status", [each for each in TABS if each])
    return Wanted(status[0] if status else "", given.text("subscriber"), given.verbatim("cursor"))


async def _whole(request: Asked, parts: Wiring, wanted: Wanted, listed: CallbackPage) -> Response[str]:
    standing = await standings(parts)
    names = sorted({each.name for each in standing} | ({wanted.subscriber} if wanted.subscriber else set()))
    return page(
        request, "callbacks/page.html", wanted=wanted, listed=listed, standings=standing, names=names, tabs=TABS
    )
