"""The feed's named consumers: where each is, how far behind that is, and how it moves.

To move a consumer is to acknowledge what it has dealt with. Whoever shares a name with another worker says where it
expects the consumer to be, and is refused if the other one was faster.
"""

from typing import Any, Final

import structlog
from litestar import Request, Response, delete, get, put
from litestar.params import FromPath

from statekeeper.api.actors import actor_of
from statekeeper.api.bodies import Body, read_json
from statekeeper.api.feed import KINDS
from statekeeper.api.parameters import Parameters, parse_position
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import wiring
from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.store.consumers import Placement, consumer_name

START, END = "start", "end"
_PLACES: Final = f"must be a position in decimal digits, {START} or {END}"
log = structlog.get_logger()


class PlacementRequest(Body, frozen=True):
    """Where to: a position, `start` or `end`. What is not given stays as it is."""

    position: str
    transitions: str | None = None
    expected: str | None = None


@get("/v1/feed/consumers")
async def list_consumers(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All consumers by their names."""
    Parameters.read(request.scope["query_string"], ())
    return json_response(await wiring(request.scope).queries.consumers.all())


@get("/v1/feed/consumers/{name:str}")
async def get_consumer(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Where one consumer is."""
    Parameters.read(request.scope["query_string"], ())
    return json_response(await wiring(request.scope).queries.consumers.find(consumer_name(name)))


@put("/v1/feed/consumers/{name:str}", status_code=200)
async def put_consumer(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Make a consumer, or move it, back or forth."""
    parts = wiring(request.scope)
    Parameters.read(request.scope["query_string"], ())
    asked = await read_json(request, PlacementRequest)
    new = await parts.engine.place_consumer(_placement(consumer_name(name), asked), actor_of(request))
    log.info("consumer_placed", consumer=name, position=asked.position, by=request.scope["user"])
    return json_response(await parts.queries.consumers.find(name), status=201 if new else 200)


@delete("/v1/feed/consumers/{name:str}", status_code=204)
async def delete_consumer(request: Request[Any, Any, Any], name: FromPath[str]) -> None:
    """Forget a consumer."""
    Parameters.read(request.scope["query_string"], ())
    await wiring(request.scope).engine.remove_consumer(consumer_name(name), actor_of(request))
    log.info("consumer_removed", consumer=name, by=request.scope["user"])


def _placement(name: str, asked: PlacementRequest) -> Placement:
    position = (
        None if asked.position == END else _position("position", "0" if asked.position == START else asked.position)
    )
    expected = None if asked.expected is None else _position("expected", asked.expected)
    if asked.transitions not in {None, *KINDS}:
        raise BodyRefused((Fault("transitions", f"must be one of {', '.join(KINDS)}"),))
    return Placement(name, position, None if asked.transitions is None else asked.transitions == "terminal", expected)


def _position(field: str, text: str) -> int:
    if (position := parse_position(text)) is None:
        raise BodyRefused((Fault(field, _PLACES if field == "position" else "must be a position in decimal digits"),))
    return position
