"""A query's way: handler, query, view. One session, its history, and the list of all."""

import asyncio
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.params import FromPath

from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import conditional, json_response
from statekeeper.api.wiring import Wiring, wiring
from statekeeper.core.errors import NotFound
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries.sessions import SessionFilter
from statekeeper.store.views import SessionView

LONGEST_WAIT: Final = 60
REREAD_SECONDS: Final = 1.0
_FILTERS: Final = ("terminal", "environment", "flowId", "updatedAfter", "updatedBefore", "limit", "cursor")


@get("/v1/sessions/{session_id:str}")
async def get_session(request: Request[Any, Any, Any], session_id: FromPath[str]) -> Response[bytes]:
    """One session as it stands; with `wait`, once it is terminal or that many seconds are over."""
    key = read_uuid("sessionId", session_id)
    query = request.scope["query_string"]
    seconds = Parameters.read(query, ("wait",)).seconds("wait", LONGEST_WAIT) if query else None
    parts = wiring(request.scope)
    view = await (_await_end(parts, key, seconds) if seconds else parts.queries.sessions.find(key))
    if view is None:
        raise NotFound("session", key)
    return conditional(request, view)


@get("/v1/sessions/{session_id:str}/history")
async def get_history(request: Request[Any, Any, Any], session_id: FromPath[str]) -> Response[bytes]:
    """How a session came to be what it is."""
    key = read_uuid("sessionId", session_id)
    Parameters.read(request.scope["query_string"], ())
    view = await wiring(request.scope).queries.histories.find(key)
    if view is None:
        raise NotFound("session", key)
    return json_response(view)


@get("/v1/sessions")
async def list_sessions(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Sessions, the newest change first, a page at a time."""
    parts = wiring(request.scope)
    given = Parameters.read(request.scope["query_string"], _FILTERS, ("state",))
    wanted = SessionFilter(
        states=given.choices("state", parts.states),
        terminal=given.truth("terminal"),
        environment=given.text("environment"),
        flow_id=given.text("flowId"),
        updated_after=given.instant("updatedAfter"),
        updated_before=given.instant("updatedBefore"),
    )
    limit = given.integer("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT
    return json_response(await parts.queries.sessions.search(wanted, limit, given.verbatim("cursor")))


async def _await_end(parts: Wiring, session_id: UUID, seconds: float) -> SessionView | None:
    """Subscribe, then read, then wait, and read again: a change between any two of these is not missed.

    A change that another node made wakes nobody here; it is found by reading again now and then.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    with parts.engine.watchers.subscribe(session_id) as watcher:
        while True:
            left = deadline - clock()
            view = await parts.queries.sessions.find(session_id)
            if (view and view.terminal) or left <= 0 or watcher.closing:
                return view
            await watcher.wait(min(left, REREAD_SECONDS))
