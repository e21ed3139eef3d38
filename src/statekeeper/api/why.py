"""Why a session stands as it does: handler, query, view."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.errors import NotFound


@get("/v1/sessions/{session_id:str}/why")
async def get_why(request: Request[Any, Any, Any], session_id: FromPath[str]) -> Response[bytes]:
    """A session told in sentences, in English, as of now."""
    key = read_uuid("sessionId", session_id)
    Parameters.read(request.scope["query_string"], ())
    parts = wiring(request.scope)
    view = await parts.queries.explanations.find(key, parts.gap_timeout, parts.loaded)
    if view is None:
        raise NotFound("session", key)
    return json_response(view)
