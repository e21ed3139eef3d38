"""The page *Sessions*: whatever somebody knows of one, and the list of those that fit, the newest first.

A session's place in the list is when it was first seen, and never another; so a page that is appended repeats nothing
and leaves nothing out, whatever comes in. What has come in is told of, and shown when somebody asks for it.
"""

from dataclasses import replace
from typing import Any, Final

from litestar import Response, get
from litestar.types import ASGIApp

from statekeeper.api.wiring import Wiring, wiring
from statekeeper.console.filters import ROOT, Filters, read_filters
from statekeeper.console.live import live
from statekeeper.console.pages import page, render
from statekeeper.console.visitor import Asked
from statekeeper.store.pages import Place, read_cursor, write_cursor
from statekeeper.store.queries.listing import Listing, SessionLine
from statekeeper.watchers import FEED

PAGE: Final = 50
MOST_NEW: Final = 50
STREAM: Final = f"{ROOT}/live"
_NOTHING: Final = Listing([], None)


@get(ROOT)
async def list_sessions(request: Asked) -> Response[Any]:
    """The whole page; or what a script asks for of it: the next rows, or the results of other filters."""
    parts = wiring(request.scope)
    filters = read_filters(request.scope["query_string"], parts.states)
    partial = request.headers.get("hx-request") == "true"
    if filters.exact and not partial and await parts.queries.sessions.find(filters.exact):
        return Response(None, status_code=303, headers={"Location": f"{ROOT}/{filters.exact}"})
    shown = await _shown(parts, filters)
    answer = await (_part if partial else _whole)(request, parts, shown)
    answer.headers["Vary"] = "HX-Request"
    return answer


@get(STREAM)
async def watch_sessions(request: Asked) -> ASGIApp:
    """How many sessions have come that fit, and are newer than the newest one that is shown."""
    parts = wiring(request.scope)
    filters = read_filters(request.scope["query_string"], parts.states)
    place = read_cursor(filters.after) if filters.after else None

    async def notice() -> str:
        number = await _new(parts, filters, place)
        return render(request, "sessions/new.html", filters=filters, number=number, most=MOST_NEW)

    return live(request, notice, FEED)


async def _shown(parts: Wiring, filters: Filters) -> dict[str, Any]:
    found = filters.faults or filters.exact
    listing = _NOTHING if found else await parts.queries.listing.page(filters.wanted, PAGE, filters.cursor)
    return {"filters": filters, "listing": listing, "stream": _stream(filters, listing)}


async def _whole(request: Asked, parts: Wiring, shown: dict[str, Any]) -> Response[str]:
    choices = await parts.queries.listing.choices()
    status = 400 if shown["filters"].faults else 200
    return page(request, "sessions/page.html", status=status, choices=choices, states=parts.states, **shown)


async def _part(request: Asked, _parts: Wiring, shown: dict[str, Any]) -> Response[str]:
    filters: Filters = shown["filters"]
    if filters.cursor:
        return page(request, "sessions/rows.html", **shown)
    answer = page(request, "sessions/results.html", **shown)
    answer.headers["HX-Push-Url"] = filters.address()
    return answer


def _stream(filters: Filters, listing: Listing) -> str | None:
    """Where news of this list are to be had; none of one that does not begin at the newest."""
    if filters.faults or filters.exact or filters.cursor:
        return None
    return filters.address(STREAM, **({"after": _place(listing.items[0])} if listing.items else {}))


def _place(line: SessionLine) -> str:
    return write_cursor((line.first_seen_at, line.session_id))


async def _new(parts: Wiring, filters: Filters, place: Place | None) -> int:
    """How many there are behind the place, the end of the list's own time left as it is."""
    if filters.faults:
        return 0
    since = max(filter(None, (filters.wanted.since, place and place[0])), default=None)
    found = await parts.queries.listing.page(replace(filters.wanted, since=since), MOST_NEW + 1)
    return sum(place is None or (each.first_seen_at, each.session_id) > place for each in found.items)
