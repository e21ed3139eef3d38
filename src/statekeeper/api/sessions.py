"""A query's way: handler, query, view. One session, its history, and the list of all."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec.structs import replace

from statekeeper.api.access import Caller, Role
from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import conditional, json_response
from statekeeper.api.wiring import Wiring, wiring
from statekeeper.core.errors import NotFound
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries.sessions import SessionFilter
from statekeeper.store.views import HistoryView, SessionView

LONGEST_WAIT: Final = 60
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
    """How a session came to be what it is; a reader is not shown what subscribers answered."""
    key = read_uuid("sessionId", session_id)
    Parameters.read(request.scope["query_string"], ())
    view = await wiring(request.scope).queries.histories.find(key)
    if view is None:
        raise NotFound("session", key)
    caller: Caller = request.scope["auth"]
    return json_response(view if caller.role >= Role.SUPPORT else _for_readers(view))


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


def _for_readers(view: HistoryView) -> HistoryView:
    """Without what subscribers said, which may be anything, and what their work is to be found by."""
    callbacks = [
        replace(each, receipt=None, attempts=[replace(attempt, response=None) for attempt in each.attempts])
        for each in view.callbacks
    ]
    return replace(view, callbacks=callbacks)


async def _await_end(parts: Wiring, session_id: UUID, seconds: float) -> SessionView | None:
    """The session once it has ended, or as it is when the time is over."""
    find = partial(parts.queries.sessions.find, session_id)
    return await parts.engine.watchers.until(session_id, find, lambda view: view and view.terminal, seconds)
