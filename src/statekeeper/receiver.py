"""The other end of a callback: whether it is Statekeeper's, and what it says (Standard Webhooks 1.0, "Verifying").

For the program that is called, whatever its framework: `verify` takes the headers and the bytes as they came, before
anything has parsed them. Signature and age (five minutes either way) are judged by the library `standardwebhooks`, with
one secret after the other, so that secrets can change without a moment in which none fits. It loads no store and no
HTTP client.

    delivery = verify(request.headers, await request.body(), ["whsec_…"])      # or CallbackRefused: answer 401
    if delivery.callback_id is new: do it, in one transaction with keeping the id
    answer 2xx

Members that are not known here are left in `data`, and harm nothing.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from standardwebhooks import Webhook, WebhookVerificationError

from statekeeper.core.callbacks import SessionEnded, decode
from statekeeper.core.errors import StatekeeperError
from statekeeper.core.instants import parse_rfc3339
from statekeeper.trust.signing import parse_secret


class CallbackRefused(StatekeeperError):
    """Not to be believed: answer 401. The message says why, and repeats neither the request nor a secret."""


@runtime_checkable
class HasItems(Protocol):
    """Headers as most frameworks have them."""

    def items(self) -> Iterable[tuple[str, str]]: ...


Headers = HasItems | Iterable[tuple[str | bytes, str | bytes]]
"""A mapping of any kind, or pairs, of bytes too, as ASGI has them; the case of names does not matter."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A callback that is Statekeeper's. It may come again: `callback_id` is the same then, to deduplicate by.

    `type` is `session.` and the state, `timestamp` is when that was, `data` the document as sent. `ended` is the same
    as a Python function would get it, or None where no end of a session is told.
    """

    callback_id: UUID
    type: str
    timestamp: datetime
    data: dict[str, Any]
    ended: SessionEnded | None


def verify(headers: Headers, body: bytes, secrets: str | Iterable[str]) -> Delivery:
    """The callback that this request is; raises `CallbackRefused`, or `ValueError` for what is no secret.

    One of the secrets (`whsec_` and base64) must fit; a single one may be given as it is.
    """
    keys = [parse_secret(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("at least one secret is needed")
    given = dict(_pairs(headers))
    _believe(given, body, keys)
    try:
        return _read(given["webhook-id"], body.decode())
    except (ValueError, KeyError, TypeError) as error:
        raise CallbackRefused("The signature is right, but this is no callback of Statekeeper") from error


def _pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    pairs = headers.items() if isinstance(headers, HasItems) else headers
    return ((_text(name).lower(), _text(value)) for name, value in pairs)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _believe(headers: dict[str, str], body: bytes, keys: list[bytes]) -> None:
    """Return if one key fits. The library's own words say why not; what it stumbles over is malformed."""
    reason = ""
    for key in keys:
        try:
            Webhook(key).verify(body, headers, json_parse=False)
        except WebhookVerificationError as error:
            reason = str(error)
        except ValueError:
            reason = "Malformed signature or body"
        else:
            return
    raise CallbackRefused(reason)


def _read(callback_id: str, body: str) -> Delivery:
    """What a verified body says; raises `ValueError`, `KeyError` or `TypeError` if it is not of the shape of ours."""
    document = json.loads(body)
    kind, data = document["type"], document["data"]
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise TypeError
    is_end = data.get("endedAt") is not None and kind == f"session.{data.get('state')}"
    timestamp = parse_rfc3339(document["timestamp"])
    return Delivery(UUID(callback_id), kind, timestamp, data, decode(body) if is_end else None)
