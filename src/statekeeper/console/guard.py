"""Who is let in to the pages. Whoever is on this machine, where nobody need sign in, is an admin."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from statekeeper.api.access import LOCAL
from statekeeper.console.visitor import SCOPE_KEY, Visitor


def require_visitor(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Put the visitor into the scope, for the page."""
    connection.scope[SCOPE_KEY] = Visitor(LOCAL.name, LOCAL.role, "local", "")  # type: ignore[typeddict-unknown-key]
