"""Who acts over HTTP: whom the door let in, and the address that they came from."""

from typing import Any

from litestar import Request

from statekeeper.api.access import Caller
from statekeeper.core.acts import Actor, Via


def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """For the audit trail. Behind a proxy the address is the proxy's, whatever the request says of it."""
    caller, client = request.scope["auth"], request.scope["client"]
    if not isinstance(caller, Caller):
        raise TypeError("a request came past the door")
    return Actor(caller.name, caller.role.name.lower(), Via.API, client[0] if client else None)
