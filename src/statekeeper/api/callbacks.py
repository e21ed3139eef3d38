"""One callback is sent again."""

from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.params import FromPath

from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.instants import rfc3339
from statekeeper.store.views import RetryView

log = structlog.get_logger()


@post("/v1/callbacks/{callback_id:str}/retry", status_code=202)
async def retry_callback(request: Request[Any, Any, Any], callback_id: FromPath[str]) -> Response[bytes]:
    """Make a callback due at once, with a fresh schedule, or say what that would be. Who asked for it is in the log."""
    key = read_uuid("callbackId", callback_id)
    parts = wiring(request.scope)
    if Parameters.read(request.scope["query_string"], ("dryRun",)).truth("dryRun"):
        return json_response(await parts.queries.callbacks.retry_plan(key))
    due_at = await parts.engine.retry(key)
    log.info("callback_retried", callback_id=str(key), by=request.scope["user"])
    return json_response(RetryView(key, "pending", rfc3339(due_at)), status=202)
