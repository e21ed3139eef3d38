"""The feed over HTTP: pages that wait, and the same as server-sent events; a session's own steps likewise.

A cursor is the position of the last step looked at, as decimal text. Nobody needs it to be more: positions are one
total order without a gap, and whoever has seen one has seen all before it.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.types import ASGIApp

from statekeeper.api import streams
from statekeeper.api.parameters import Parameters, read_ordinal, read_position, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.sessions import LONGEST_WAIT
from statekeeper.api.streams import HEARTBEAT_SECONDS
from statekeeper.api.wiring import Wiring, wiring
from statekeeper.core.errors import NotFound, QueryRefused
from statekeeper.store.feed_pages import DEFAULT_ITEMS, MAX_ITEMS, FeedFilter

KINDS: Final = ("terminal", "all")
LAST_EVENT_ID: Final = "Last-Event-ID"
_FILTERS: Final = ("after", "transitions", "environment", "flowId")


@get("/v1/feed")
async def get_feed(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Steps of all sessions in their one order, behind a cursor or behind a consumer's position."""
    parts = wiring(request.scope)
    query = request.scope["query_string"]
    given = Parameters.read(query, (*_FILTERS, "consumer", "limit", "wait"), ("state",))
    limit = given.integer("limit", 1, MAX_ITEMS) or DEFAULT_ITEMS
    seconds = given.seconds("wait", LONGEST_WAIT) or 0
    after, terminal = await _beginning(parts, given)
    return json_response(await parts.tail.page(after, _wanted(parts, given, terminal=terminal), limit, seconds))


@get("/v1/feed/stream")
async def stream_feed(request: Request[Any, Any, Any]) -> ASGIApp:
    """The same as it happens: from now on, unless the client says where it was."""
    parts = wiring(request.scope)
    given = Parameters.read(request.scope["query_string"], _FILTERS, ("state",))
    wanted = _wanted(parts, given, terminal=True)
    head = await parts.queries.feed.head()
    asked = ((LAST_EVENT_ID, _last_event_id(request, read_position)), ("after", given.position("after")))
    field, after = next(((name, place) for name, place in asked if place is not None), ("after", head))
    if after > head:
        raise QueryRefused(field, "is beyond the head of the feed: it is no position of this store")
    parts.streams.admit()
    return parts.streams.answer(_feed_frames(parts, after, wanted), parts.engine.watchers.closed)


@get("/v1/sessions/{session_id:str}/stream")
async def stream_session(request: Request[Any, Any, Any], session_id: FromPath[str]) -> ASGIApp:
    """One session's steps as they are taken, up to its end; nothing is left to say to a client that has the end."""
    parts = wiring(request.scope)
    key = read_uuid("sessionId", session_id)
    Parameters.read(request.scope["query_string"], ())
    seen = _last_event_id(request, read_ordinal) or 0
    ended = await _has_ended(parts, key)  # before its steps are read: an end that is taken in between would be lost
    if (steps := await parts.queries.feed.of_session(key, seen)) is None:
        raise NotFound("session", key)
    if ended and not steps:
        return Response(b"", status_code=204).to_asgi_response(app=None, request=request)
    parts.streams.admit()
    return parts.streams.answer(_session_frames(parts, key, seen), parts.engine.watchers.closed)


async def _beginning(parts: Wiring, given: Parameters) -> tuple[int, bool]:
    """Behind which position to read, and whether ends only unless it is said otherwise."""
    consumer = given.text("consumer")
    if consumer is None:
        return given.position("after") or 0, True
    if "after" in given.values:
        raise QueryRefused("after", "is kept for a consumer: give the one or the other")
    return await parts.queries.consumers.position(consumer)


def _wanted(parts: Wiring, given: Parameters, *, terminal: bool) -> FeedFilter:
    kinds = given.choices("transitions", KINDS)
    wanted = FeedFilter(
        terminal=kinds[0] == "terminal" if kinds else terminal,
        states=given.choices("state", parts.states),
        environment=given.text("environment"),
        flow_id=given.text("flowId"),
    )
    for name, value in (("environment", wanted.environment), ("flowId", wanted.flow_id)):
        if value is not None and not wanted.terminal:
            raise QueryRefused(name, "may be unknown yet when a step is taken: only terminal ones are told apart by it")
    return wanted


def _last_event_id(request: Request[Any, Any, Any], read: Callable[[str, str], int]) -> int | None:
    """Where the client was, as an `EventSource` says when it comes again."""
    said = request.headers.get(LAST_EVENT_ID)
    return read(LAST_EVENT_ID, said) if said else None


async def _feed_frames(parts: Wiring, after: int, wanted: FeedFilter) -> AsyncGenerator[bytes, None]:
    yield streams.beginning(after)
    async with aclosing(parts.tail.pages(after, wanted, HEARTBEAT_SECONDS)) as pages:
        async for page in pages:
            for item in page.items:
                yield streams.frame(item.position, item)
            if not page.items:
                yield streams.place(page.next_cursor)


async def _session_frames(parts: Wiring, session_id: UUID, seen: int) -> AsyncGenerator[bytes, None]:
    yield streams.beginning(seen)
    while not parts.engine.watchers.closing:
        items = await parts.tail.steps(session_id, seen, HEARTBEAT_SECONDS)
        for item in items:
            seen = item.ordinal
            yield streams.frame(seen, item)
            if item.terminal:
                return
        if not items:
            yield streams.HEARTBEAT


async def _has_ended(parts: Wiring, session_id: UUID) -> bool:
    view = await parts.queries.sessions.find(session_id)
    return view is not None and view.terminal
