"""One callback is sent again: one that waits or is dead, or one that was delivered."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath

from statekeeper.api.actors import actor_of
from statekeeper.api.bodies import Body, read_json
from statekeeper.api.parameters import Parameters, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.acts import MAX_REASON, Resend, Retry
from statekeeper.store.act_plans import retry_plan
from statekeeper.store.views import AuditView, RetryView

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON)]


class ActRequest(Body, frozen=True):
    """Why; a retry may go without a reason, and so may any dry run."""

    reason: Reason | None = None


@post("/v1/callbacks/{callback_id:str}/retry", status_code=202)
async def retry_callback(request: Request[Any, Any, Any], callback_id: FromPath[str]) -> Response[bytes]:
    """Make a callback due at once, with a fresh schedule, or say what that would be."""
    key = read_uuid("callbackId", callback_id)
    dry = Parameters.read(request.scope["query_string"], ("dryRun",)).truth("dryRun")
    act = Retry(key, (await read_json(request, ActRequest, ActRequest())).reason)
    if dry:
        return json_response(retry_plan(await wiring(request.scope).acts.plan(act)))
    done = await wiring(request.scope).acts.perform(act, actor_of(request))
    return _due(key, done)


@post("/v1/callbacks/{callback_id:str}/resend", status_code=202)
async def resend_callback(request: Request[Any, Any, Any], callback_id: FromPath[str]) -> Response[bytes]:
    """Send a delivered callback once more, or say what that would be."""
    key = read_uuid("callbackId", callback_id)
    dry = Parameters.read(request.scope["query_string"], ("dryRun",)).truth("dryRun")
    act = Resend(key, (await read_json(request, ActRequest, ActRequest())).reason)
    if dry:
        return json_response(await wiring(request.scope).acts.plan(act))
    done = await wiring(request.scope).acts.perform(act, actor_of(request))
    return _due(key, done)


def _due(key: UUID, done: AuditView) -> Response[bytes]:
    """It is due since the moment of the act."""
    return json_response(RetryView(key, "pending", done.at), status=202)
