"""Notices: what befalls the callbacks and the order themselves, told to the endpoints that ask for it.

A notice is a message like a callback, with the same shape, outbox, retries and signature; it is about an occasion and
not about a session's step. Its id is a UUIDv5 of subject, type and occasion, so that a repeated write is harmless.

callback.dead        a callback's schedule is used up, or it was given up on
endpoint.disabled    an endpoint gets nothing until it is enabled: it said 410, failed for days, or somebody wished it
endpoint.recovered   an endpoint whose circuit was open, or that was disabled, takes callbacks again
session.gap_closed   numbers were given up on, and the order went on without them
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from statekeeper.core.instants import rfc3339
from statekeeper.core.subscribers import NOTICES, Subscriber

CALLBACK_DEAD, ENDPOINT_DISABLED, ENDPOINT_RECOVERED, GAP_CLOSED = NOTICES
_ENDPOINT: Final = "urn:statekeeper:endpoint:{name}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One occasion: `type` is one of `NOTICES`, `notice_id` the same for all who are told, `data` fit for JSON."""

    type: str
    notice_id: UUID
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as one subscriber gets it."""

    subscriber: str
    message_id: UUID
    notice: Notice

    @property
    def body(self) -> str:
        """The same shape as a callback's: `type`, `timestamp`, `data`."""
        notice = self.notice
        data = {"noticeId": str(notice.notice_id), **notice.data}
        body = {"type": notice.type, "timestamp": rfc3339(notice.at), "data": data}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def messages_due(notice: Notice, subscribers: Iterable[Subscriber]) -> tuple[Message, ...]:
    """One message to each subscriber that asked for this type."""
    return tuple(
        Message(each.name, uuid5(notice.notice_id, each.name), notice)
        for each in subscribers
        if notice.type in each.notices
    )


def callback_dead(
    callback_id: UUID, session_id: UUID, subscriber: str, number: int, detail: str | None, at: datetime
) -> Notice:
    """The callback's last attempt, of this number, ended so."""
    data = {
        "callbackId": str(callback_id),
        "sessionId": str(session_id),
        "subscriber": subscriber,
        "attempts": number,
        "detail": detail,
    }
    return Notice(CALLBACK_DEAD, uuid5(callback_id, f"{CALLBACK_DEAD}:{number}"), at, data)


def endpoint_disabled(name: str, reason: str, at: datetime) -> Notice:
    return _of_endpoint(ENDPOINT_DISABLED, name, at, {"endpoint": name, "reason": reason})


def endpoint_recovered(name: str, since: datetime | None, at: datetime) -> Notice:
    """It takes callbacks again; `since` is when its trouble began, where that is known."""
    return _of_endpoint(ENDPOINT_RECOVERED, name, at, {"endpoint": name, "since": rfc3339(since) if since else None})


def gap_closed(session_id: UUID, given_up: tuple[int, ...], inferred: tuple[str, ...], at: datetime) -> Notice:
    """These numbers were given up on, and these triggers inferred in their stead."""
    data = {"sessionId": str(session_id), "givenUp": list(given_up), "inferred": list(inferred)}
    return Notice(GAP_CLOSED, uuid5(session_id, f"{GAP_CLOSED}:{given_up[-1]}"), at, data)


def _of_endpoint(kind: str, name: str, at: datetime, data: Mapping[str, Any]) -> Notice:
    subject = uuid5(NAMESPACE_URL, _ENDPOINT.format(name=name))
    return Notice(kind, uuid5(subject, f"{kind}:{rfc3339(at)}"), at, data)
