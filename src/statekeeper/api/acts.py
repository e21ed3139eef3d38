"""What support does to a session, and the trail of what people did to anything."""

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.params import FromPath

from statekeeper.api.actors import actor_of
from statekeeper.api.bodies import Body, read_json
from statekeeper.api.callbacks import Reason
from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.acts import CloseGap, Deed, Note
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries.audit import AuditFilter

_FILTERS: Final = ("actor", "act", "sessionId", "callbackId", "subject", "since", "until", "limit", "cursor")


class ClosingRequest(Body, frozen=True):
    """Why, which may be left out of a dry run only, and the numbers that are expected to be given up on."""

    reason: Reason | None = None
    expected: list[int] | None = None


class NoteRequest(Body, frozen=True):
    """What is to be said."""

    text: Reason


@post("/v1/sessions/{session_id:str}/close-gap", status_code=200)
async def close_gap(request: Request[Any, Any, Any], session_id: FromPath[str]) -> Response[bytes]:
    """Give up on a session's first gap now, or say what that would come to."""
    key = read_uuid("sessionId", session_id)
    dry = Parameters.read(request.scope["query_string"], ("dryRun",)).truth("dryRun")
    asked = await read_json(request, ClosingRequest, ClosingRequest())
    act = CloseGap(key, asked.reason, None if asked.expected is None else tuple(asked.expected))
    acts = wiring(request.scope).acts
    if dry:
        return json_response(await acts.plan(act))
    return json_response(await acts.perform(act, actor_of(request)))


@post("/v1/sessions/{session_id:str}/notes", status_code=201)
async def add_note(request: Request[Any, Any, Any], session_id: FromPath[str]) -> Response[bytes]:
    """Say something about a session."""
    key = read_uuid("sessionId", session_id)
    Parameters.read(request.scope["query_string"], ())
    act = Note(key, (await read_json(request, NoteRequest)).text)
    return json_response(await wiring(request.scope).acts.perform(act, actor_of(request)), status=201)


@get("/v1/audit")
async def list_audit(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What people did, the newest first, a page at a time."""
    given = Parameters.read(request.scope["query_string"], _FILTERS)
    acts = given.choices("act", [deed.value for deed in Deed])
    wanted = AuditFilter(
        actor=given.text("actor"),
        act=acts[0] if acts else None,
        session_id=given.uuid("sessionId"),
        callback_id=given.uuid("callbackId"),
        subject=given.text("subject"),
        since=given.instant("since"),
        until=given.instant("until"),
    )
    limit = given.integer("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT
    return json_response(await wiring(request.scope).queries.audit.page(wanted, limit, given.verbatim("cursor")))
