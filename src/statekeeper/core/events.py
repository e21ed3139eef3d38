"""The tolerant reader: from a verified token's `data` to a `SessionEvent`, or to the list of what is wrong with it.

Four fields make an event: `eventId`, `eventName`, `eventSequence`, `payload.sessionId`. Everything else may be missing
or unknown. An optional text that is no string, too long, or not storable counts as missing; the raw token keeps it.
Numbers are compared as numbers, since "10" < "2" as text.

Source: the provider's page "Webhook events" and its table of fields.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from statekeeper.core.errors import Fault, NotAnEvent
from statekeeper.core.instants import parse_rfc3339, to_milliseconds

MAX_TEXT: Final = 255
MAX_SEQUENCE: Final = 9999
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DIGITS: Final = re.compile(r"0*([0-9]{1,4})", re.ASCII)
_to_json: Final = json.JSONEncoder(separators=(",", ":")).encode  # `dumps` would make an encoder for each event
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_STATUSES: Final = {
    "session.created": {"CREATED", "RUNNING"},  # it runs at once, and the provider's pages show either
    "session.completed": {"COMPLETED"},
    "session.expired": {"EXPIRED"},
    "session.aborted": {"ABORTED"},
    "session.error": {"ERROR"},
}


@dataclass(frozen=True, slots=True)
class LastStep:
    """The last step that the customer's flow ran, as sent: free texts, configurable in the provider's dashboard."""

    id: str | None
    type: str | None
    status: str | None


@dataclass(frozen=True)
class SessionEvent:
    """One event of one session, as the sender numbered it."""

    event_id: str
    name: str
    sequence: int
    session_id: UUID
    flow_id: str | None = None
    environment: str | None = None
    session_status: str | None = None
    last_step: LastStep | None = None
    version: str | None = None
    deliver_id: str | None = None
    sent_at: datetime | None = None

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the facts that an honest retry does not change; it tells a duplicate from a conflict."""
        facts = [self.name, self.sequence, self.flow_id, self.environment, self.session_status]
        return hashlib.sha256(_to_json(facts).encode()).digest()


def parse_uuid(text: object) -> UUID | None:
    """The UUID in its canonical form of 36 characters, in either case, or None (RFC 9562, section 4)."""
    return UUID(text) if isinstance(text, str) and _UUID.fullmatch(text) else None


def read_event(data: object) -> SessionEvent:
    """Read the `data` claim of a verified token; raises `NotAnEvent` with every fault found, not only the first."""
    if not isinstance(data, Mapping):
        raise NotAnEvent((Fault("data", "is missing or not an object"),))
    payload = data.get("payload")
    payload = payload if isinstance(payload, Mapping) else {}
    event_id, name = _text(data, "eventId"), _text(data, "eventName")
    sequence, session_id = _sequence(data.get("eventSequence")), parse_uuid(payload.get("sessionId"))
    if not event_id or not name or sequence is None or session_id is None:
        raise NotAnEvent(tuple(_faults(event_id, name, sequence, session_id)))
    return SessionEvent(
        event_id=event_id,
        name=name,
        sequence=sequence,
        session_id=session_id,
        flow_id=_text(payload, "flowId"),
        environment=_text(data, "environment"),
        session_status=_text(payload, "sessionStatus"),
        last_step=_last_step(payload, data),
        version=_text(data, "eventVersion"),
        deliver_id=_text(data, "eventDeliverId"),
        sent_at=_instant(data.get("createdAt")),
    )


def status_fits(event: SessionEvent) -> bool:
    """Whether `sessionStatus` is what the sender documents for this event.

    A missing one fits, and any fits an event that is not documented.
    """
    return event.session_status is None or event.session_status in _STATUSES.get(event.name, {event.session_status})


def _faults(event_id: str | None, name: str | None, sequence: int | None, session_id: UUID | None) -> Iterator[Fault]:
    text = f"must be a text of 1 to {MAX_TEXT} characters, without NUL or unpaired surrogates"
    if not event_id:
        yield Fault("data.eventId", text)
    if not name:
        yield Fault("data.eventName", text)
    if sequence is None:
        yield Fault("data.eventSequence", f"must be an integer from 1 to {MAX_SEQUENCE}, or a string of its digits")
    if session_id is None:
        yield Fault("data.payload.sessionId", "must be a UUID in its canonical form")


def storable(value: object, most: int = MAX_TEXT) -> str | None:
    """The value if every store can keep it as a text of so many characters at most, else None."""
    if not isinstance(value, str) or len(value) > most or (not value.isascii() and _UNSTORABLE.search(value)):
        return None
    return None if "\x00" in value else value


def _text(where: Mapping[str, Any], key: str) -> str | None:
    return storable(where.get(key))


def _sequence(value: object) -> int | None:
    if isinstance(value, str):
        digits = _DIGITS.fullmatch(value)
        value = int(digits[1]) if digits else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 1 <= value <= MAX_SEQUENCE else None


def _last_step(payload: Mapping[str, Any], data: Mapping[str, Any]) -> LastStep | None:
    """Each member from `payload`, else from the top level: the provider's table and its example disagree."""
    step = LastStep(*(_either(payload, data, key) for key in ("lastStepId", "lastStepType", "lastStepStatus")))
    return None if step == LastStep(None, None, None) else step


def _either(payload: Mapping[str, Any], data: Mapping[str, Any], key: str) -> str | None:
    text = _text(payload, key)
    return _text(data, key) if text is None else text


def _instant(value: object) -> datetime | None:
    """A time with its offset, in UTC, to the millisecond; anything else counts as missing."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return None
    try:
        return to_milliseconds(parse_rfc3339(value))
    except (ValueError, OverflowError):
        return None
