"""Who acts from the console, as the audit trail knows them, and who may not."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler

from statekeeper.console.visitor import Asked, visitor
from statekeeper.core.acts import Actor, Via

Connection = ASGIConnection[Any, Any, Any, Any]


def actor_of(request: Asked) -> Actor:
    """For the audit trail. Behind a proxy the address is the proxy's, whatever the request says of it."""
    who, client = visitor(request), request.scope["client"]
    return Actor(who.name, who.role.name.lower(), Via.CONSOLE, client[0] if client else None, who.account)


def require_support(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Let nobody act, nor see what an act would do, whose role does not allow it."""
    _require("support", connection)


def require_admin(connection: Connection, _handler: BaseRouteHandler) -> None:
    """The same, of what is for an admin."""
    _require("admin", connection)


def _require(role: str, connection: Connection) -> None:
    if not visitor(connection).may(role):
        raise PermissionDeniedException
