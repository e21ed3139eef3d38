"""Many callbacks at once: a dry run that says how many, a recovery begun, and how far it is."""

from typing import Annotated, Any, Final

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.params import FromPath

from statekeeper.api.actors import actor_of
from statekeeper.api.bodies import Body, read_json
from statekeeper.api.parameters import Parameters, parse_instant, read_uuid
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.core.instants import rfc3339, to_milliseconds
from statekeeper.core.recovery import RecoveryKind
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.views import RecoveryPlanView

BAD_SINCE: Final = Fault("since", "must be an RFC 3339 time with its offset")
log = structlog.get_logger()


class RecoveryRequest(Body, frozen=True):
    """From when on, and whether only to say how many callbacks that is."""

    since: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
    dry_run: bool = False


@post("/v1/endpoints/{name:str}/recover", status_code=202)
async def recover_endpoint(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Send again what is dead of a subscriber's callbacks."""
    return await _recover(request, RecoveryKind.RETRY, name)


@post("/v1/endpoints/{name:str}/backfill", status_code=202)
async def backfill_endpoint(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Send a subscriber what it has missed."""
    return await _recover(request, RecoveryKind.BACKFILL, name)


@get("/v1/recoveries/{recovery_id:str}")
async def get_recovery(request: Request[Any, Any, Any], recovery_id: FromPath[str]) -> Response[bytes]:
    """One recovery, and how far it is."""
    key = read_uuid("recoveryId", recovery_id)
    Parameters.read(request.scope["query_string"], ())
    return json_response(await wiring(request.scope).queries.recoveries.find(key))


@get("/v1/recoveries")
async def list_recoveries(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Recoveries, the newest first, a page at a time."""
    given = Parameters.read(request.scope["query_string"], ("limit", "cursor"))
    limit = given.integer("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT
    return json_response(await wiring(request.scope).queries.recoveries.page(limit, given.verbatim("cursor")))


async def _recover(request: Request[Any, Any, Any], kind: RecoveryKind, name: str) -> Response[bytes]:
    """Who asked for it is in the log."""
    Parameters.read(request.scope["query_string"], ())
    asked = await read_json(request, RecoveryRequest)
    since = parse_instant(asked.since)
    if since is None:
        raise BodyRefused((BAD_SINCE,))
    parts = wiring(request.scope)
    if asked.dry_run:
        recovery, total = await parts.recoverer.plan(kind, name, to_milliseconds(since))
        times = rfc3339(recovery.since), rfc3339(recovery.until)
        return json_response(RecoveryPlanView(kind, name, *times, total, dry_run=True))
    key = await parts.recoverer.begin(kind, name, to_milliseconds(since), actor_of(request))
    log.info("recovery_begun", recovery_id=str(key), kind=kind.value, subscriber=name, by=request.scope["user"])
    headers = {"Location": f"/v1/recoveries/{key}", "Cache-Control": "no-store"}
    return json_response(await parts.queries.recoveries.find(key), status=202, headers=headers)
