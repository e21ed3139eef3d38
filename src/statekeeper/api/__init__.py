"""HTTP: webhooks in, queries out. Handlers read what was asked, ask the engine or the queries, and write the answer.

`build` puts the app together from its parts; it knows no settings and opens nothing. The door (`access`) stands around
the whole app, in front of the routing.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp, ControllerRouterHandler

from statekeeper.api.access import AccessPolicy, AccessToken, Door, Role
from statekeeper.api.acts import add_note, close_gap, list_audit
from statekeeper.api.callbacks import resend_callback, retry_callback
from statekeeper.api.consumers import delete_consumer, get_consumer, list_consumers, put_consumer
from statekeeper.api.docs import get_document, get_page, get_script
from statekeeper.api.endpoints import ENDPOINT_ROUTES
from statekeeper.api.feed import get_feed, stream_feed, stream_session
from statekeeper.api.health import get_liveness, get_metrics, get_readiness
from statekeeper.api.problems import answer
from statekeeper.api.recoveries import backfill_endpoint, get_recovery, list_recoveries, recover_endpoint
from statekeeper.api.sessions import get_history, get_session, list_sessions
from statekeeper.api.webhooks import receive_webhook
from statekeeper.api.why import get_why
from statekeeper.api.wiring import Wiring

__all__ = ["AccessPolicy", "AccessToken", "Role", "Wiring", "build"]

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    receive_webhook,
    get_session,
    get_history,
    get_why,
    list_sessions,
    retry_callback,
    resend_callback,
    close_gap,
    add_note,
    list_audit,
    *ENDPOINT_ROUTES,
    recover_endpoint,
    backfill_endpoint,
    get_recovery,
    list_recoveries,
    get_feed,
    stream_feed,
    stream_session,
    list_consumers,
    get_consumer,
    put_consumer,
    delete_consumer,
    get_liveness,
    get_readiness,
    get_metrics,
    get_page,
    get_document,
    get_script,
)


def build(
    parts: Wiring,
    access: AccessPolicy,
    lifespan: Sequence[Callable[[Litestar], Any]] = (),
    more: Sequence[ControllerRouterHandler] = (),
    guard: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> Litestar:
    """The app around its parts; `more` are routes that are none of this package's, `guard` stands before them."""
    app = Litestar(
        route_handlers=[*ROUTES, *more],
        exception_handlers={Exception: answer},
        lifespan=list(lifespan),
        state=State({"wiring": parts}),
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = Door(guard(app.asgi_handler), access)
    return app
