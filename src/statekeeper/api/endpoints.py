"""Endpoints as data: asked for by a reader, made, changed and taken away by an admin.

A secret is in two answers only: to who made the endpoint, and to who rotated it. Who did what is in the log.
"""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
import structlog
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from statekeeper.api.actors import actor_of
from statekeeper.api.bodies import Body, read_json
from statekeeper.api.parameters import Parameters
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.core.events import storable
from statekeeper.core.subscribers import NOTICES, Scope
from statekeeper.delivery.administration import Administration

BAD_REASON: Final = Fault("reason", "must be a text of 1 to 200 characters")
LONGEST_OVERLAP: Final = 30 * 86_400
DAY: Final = 86_400
_SCOPES: Final = [str(scope) for scope in Scope]
Transitions = Annotated[str, Meta(extra_json_schema={"enum": _SCOPES})]
Notice = Annotated[str, Meta(extra_json_schema={"enum": list(NOTICES)})]
Overlap = Annotated[float, Meta(ge=0, le=LONGEST_OVERLAP)]
log = structlog.get_logger()

Asked = Request[Any, Any, Any]


class NewEndpoint(Body, frozen=True):
    """An endpoint to be made; without a `secret` it is given one."""

    name: str
    url: str
    secret: str | UnsetType = UNSET
    transitions: Transitions | UnsetType = UNSET
    states: list[str] | UnsetType = UNSET
    environments: list[str] | UnsetType = UNSET
    flows: list[str] | UnsetType = UNSET
    notices: list[Notice] | UnsetType = UNSET
    concurrency: int | UnsetType = UNSET
    rate: float | UnsetType | None = UNSET


class EndpointPatch(Body, frozen=True):
    """What is to be changed (RFC 7396): a member that is not there stays, and null is its default."""

    url: str | UnsetType | None = UNSET
    transitions: Transitions | UnsetType | None = UNSET
    states: list[str] | UnsetType | None = UNSET
    environments: list[str] | UnsetType | None = UNSET
    flows: list[str] | UnsetType | None = UNSET
    notices: list[Notice] | UnsetType | None = UNSET
    concurrency: int | UnsetType | None = UNSET
    rate: float | UnsetType | None = UNSET


class Rotation(Body, frozen=True):
    """Another secret, ours unless one is given; for `overlap` seconds the old one signs too."""

    secret: str | None = None
    overlap: Overlap = DAY


class Reason(Body, frozen=True):
    """Why an endpoint is disabled."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


@get("/v1/endpoints")
async def list_endpoints(request: Asked) -> Response[bytes]:
    """All endpoints and brokers, by name."""
    return json_response(await _endpoints(request).overview())


@get("/v1/endpoints/{name:str}")
async def get_endpoint(request: Asked, name: FromPath[str]) -> Response[bytes]:
    return json_response(await _endpoints(request).show(name))


@post("/v1/endpoints")
async def create_endpoint(request: Asked) -> Response[bytes]:
    """Make an endpoint. The answer is the only one that shows its secret."""
    endpoints = _endpoints(request)
    body = await read_json(request, NewEndpoint)
    view = await endpoints.create(msgspec.to_builtins(body), actor_of(request))
    _note("endpoint_created", request, view.name)
    location = {"Cache-Control": "no-store", "Location": f"/v1/endpoints/{view.name}"}
    return json_response(view, status=201, headers=location)


@patch("/v1/endpoints/{name:str}")
async def change_endpoint(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Change some members of an endpoint."""
    endpoints = _endpoints(request)
    body = await read_json(request, EndpointPatch)
    view = await endpoints.change(name, msgspec.to_builtins(body), actor_of(request))
    _note("endpoint_changed", request, name)
    return json_response(view)


@delete("/v1/endpoints/{name:str}")
async def delete_endpoint(request: Asked, name: FromPath[str]) -> None:
    """Take an endpoint away; what it was owed is dead, and kept."""
    dead = await _endpoints(request).delete(name, actor_of(request))
    log.info("endpoint_deleted", endpoint=name, by=request.scope["user"], callbacks_dead=dead)


@post("/v1/endpoints/{name:str}/rotate", status_code=200)
async def rotate_secret(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Give an endpoint another secret. The answer is the only one that shows it."""
    endpoints = _endpoints(request)
    body = await read_json(request, Rotation, Rotation())
    view = await endpoints.rotate(name, body.secret, timedelta(seconds=body.overlap), actor_of(request))
    _note("endpoint_rotated", request, name)
    return json_response(view)


@post("/v1/endpoints/{name:str}/enable", status_code=200)
async def enable_endpoint(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Let callbacks go out again."""
    view = await _endpoints(request).enable(name, actor_of(request))
    _note("endpoint_enabled", request, name)
    return json_response(view)


@post("/v1/endpoints/{name:str}/disable", status_code=200)
async def disable_endpoint(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Hold callbacks back until somebody enables it."""
    endpoints = _endpoints(request)
    body = await read_json(request, Reason, Reason())
    if body.reason is not None and not storable(body.reason):
        raise BodyRefused((BAD_REASON,))
    view = await endpoints.disable(name, body.reason, actor_of(request))
    _note("endpoint_disabled_by_hand", request, name)
    return json_response(view)


@post("/v1/endpoints/{name:str}/ping", status_code=200)
async def ping_endpoint(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Send a test message now, and say what came of it."""
    view = await _endpoints(request).ping(name, actor_of(request))
    _note("endpoint_pinged", request, name)
    return json_response(view)


def _endpoints(request: Asked) -> Administration:
    """The acts, for a request that has no query."""
    Parameters.read(request.scope["query_string"], ())
    return wiring(request.scope).endpoints


def _note(event: str, request: Asked, name: str) -> None:
    log.info(event, endpoint=name, by=request.scope["user"])


ENDPOINT_ROUTES: Final = (
    list_endpoints,
    get_endpoint,
    create_endpoint,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
    enable_endpoint,
    disable_endpoint,
    ping_endpoint,
)
