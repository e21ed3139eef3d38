"""The door for webhooks: size, media type, and then the engine. What is refused is counted and logged by its reason.

This is the hot path, and a plain ASGI handler: Litestar's injection would cost as much again as the request itself. It
answers every method, so that `405` is its own business, and its entry in the OpenAPI document is in `reference`.
"""

import time
from typing import Final

import msgspec
import structlog
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from statekeeper import metrics
from statekeeper.api.access import WEBHOOK
from statekeeper.api.bodies import Headers, is_encoded, read_body, values
from statekeeper.api.wiring import wiring
from statekeeper.core.arrivals import Receipt
from statekeeper.core.errors import NotVerified, Unavailable, UnsupportedMediaType, WebhookRefused
from statekeeper.store.views import ReceiptView

_MEDIA_TYPES: Final = frozenset({b"application/jwt", b"text/plain", b""})
_encode: Final = msgspec.json.Encoder().encode
log = structlog.get_logger()


@asgi(WEBHOOK, copy_scope=False)
async def receive_webhook(scope: Scope, receive: Receive, send: Send) -> None:
    """Take one webhook, and answer once it is on disk."""
    if scope.get("method") != "POST":
        raise MethodNotAllowedException(headers={"Allow": "POST"})
    began = time.perf_counter()
    headers = list(scope["headers"])
    try:
        body = await read_body(headers, receive)
        if body is None:
            return
        _check_media_type(headers)
        receipt = await wiring(scope).engine.receive(body)
    except (WebhookRefused, Unavailable) as refusal:
        _note(refusal)
        raise
    await _answer(receipt, send)
    metrics.ACK_SECONDS.observe(time.perf_counter() - began)


def _check_media_type(headers: Headers) -> None:
    types = (value.split(b";", 1)[0] for value in values(headers, b"content-type"))
    if not all(each.strip().lower() in _MEDIA_TYPES for each in types):
        raise UnsupportedMediaType("The Content-Type of a webhook is application/jwt.")
    if is_encoded(headers):
        raise UnsupportedMediaType("A webhook has no Content-Encoding.")


def _note(refusal: WebhookRefused | Unavailable) -> None:
    """Count and log it by its reason alone: whatever else there is to say would come from a token."""
    metrics.REFUSALS.labels(refusal.reason).inc()
    level = log.warning if isinstance(refusal, NotVerified | Unavailable) else log.info
    level("webhook_refused", reason=refusal.reason, kind=type(refusal).__name__)


async def _answer(receipt: Receipt, send: Send) -> None:
    view = ReceiptView(receipt.event_id, receipt.session_id, receipt.sequence, receipt.disposition.value, receipt.state)
    body = _encode(view)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
