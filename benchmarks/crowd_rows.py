"""A session of the crowd as the rows that the service would have written, but that its tokens are not signed.

Its steps have no place in the feed yet: whoever writes the rows numbers them.
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid5

from benchmarks.crowd import CHART, Owed, Story

_Row = dict[str, Any]
_TRIES: Final = {"dead": 10, "pending": 2, "delivered": 1}
_UNSIGNED: Final = base64.urlsafe_b64encode(bytes(256)).rstrip(b"=").decode()
_NO_STEP: Final = dict.fromkeys(("last_step_id", "last_step_type", "last_step_status"))


def session_row(story: Story) -> _Row:
    final, steps = story.final, 2 if story.final else int(story.begun)
    step = {"last_step_id": "END-ACCEPT", "last_step_type": "END", "last_step_status": story.state.upper()}
    return {
        "session_id": story.session_id,
        "state": story.state,
        "terminal": final,
        "cursor": steps,
        "contiguous": not story.given_up,
        "contradicted": story.contradicted,
        "given_up": (1,) if story.given_up else None,
        "inferred": ("session.created",) if story.given_up else None,
        "held": story.held,
        "applied": story.applied,
        "ordinal": steps,
        "arrivals": len(story.applied + story.held) + story.contradicted,
        **_origin(story),
        **{f"decided_{name}": value for name, value in _origin(story).items()},
        **(step if final else _NO_STEP),
        "earliest_held_at": story.begun_at if story.held else None,
        "chart_id": CHART.id,
        "chart_version": CHART.version,
        "first_seen_at": story.begun_at,
        "updated_at": story.ended_at if final else story.begun_at,
        "ended_at": story.ended_at if final else None,
    }


def event_rows(story: Story) -> Iterator[_Row]:
    times = {1: story.begun_at, 2: story.ended_at, 3: story.begun_at}
    numbers = story.applied + story.held
    for arrival, sequence in enumerate(numbers, 1):
        name = f"session.{'created' if sequence == 1 else story.state if story.final else 'completed'}"
        found = "held" if sequence in story.held else "applied"
        yield _event(story, arrival, name, sequence, found, times[sequence])
    if story.contradicted and numbers:
        claim = _event(story, len(numbers) + 1, "session.error", numbers[0], "conflict", story.ended_at)
        yield claim | {"event_id": str(uuid5(story.session_id, "conflict"))}


def step_rows(story: Story) -> Iterator[_Row]:
    begin, end = ("pending", "created", story.begun_at), ("created", story.state, story.ended_at)
    steps = ([begin] if story.begun else []) + ([end] if story.final else [])
    for ordinal, (source, target, at) in enumerate(steps, 1):
        inferred = story.given_up and ordinal == 1
        yield {
            "session_id": story.session_id,
            "ordinal": ordinal,
            "source": source,
            "target": target,
            "trigger": f"session.{target}",
            "cause": "inferred" if inferred else "event",
            "event_id": None if inferred else str(uuid5(story.session_id, str(ordinal))),
            "sequence": None if inferred else ordinal,
            "at": story.ended_at if inferred else at,
            "reason": "number 1 was given up on" if inferred else None,
            "terminal": ordinal == 2,
        }


def callback_rows(story: Story) -> Iterator[_Row]:
    for owed in story.owed:
        callback = uuid5(story.session_id, owed.subscriber)
        yield _key(story, owed) | {
            "callback_id": callback,
            "state": story.state,
            "body": _body(story, str(callback)),
            "status": owed.status,
            "attempt": _TRIES[owed.status],
            "tries": _TRIES[owed.status],
            "due_at": owed.due_at,
            "created_at": story.ended_at,
            "delivered_at": story.ended_at if owed.status == "delivered" else None,
            "receipt": None,
        }


def attempt_rows(story: Story) -> Iterator[_Row]:
    for owed in story.owed:
        well = owed.status == "delivered"
        outcome = {"outcome": "delivered" if well else "failed", "detail": None if well else "HTTP 503"}
        for number in range(1, _TRIES[owed.status] + 1):
            times = {"at": story.ended_at + timedelta(minutes=number), "duration_ms": 35}
            yield _key(story, owed) | {"number": number, **times, **outcome, "response": None}


def _event(story: Story, arrival: int, name: str, sequence: int, disposition: str, at: datetime) -> _Row:
    event = str(uuid5(story.session_id, str(sequence)))
    return {
        "session_id": story.session_id,
        "arrival": arrival,
        "event_id": event,
        "name": name,
        "sequence": sequence,
        "digest": sha256(f"{event}{name}{disposition}".encode()).digest(),
        "disposition": disposition,
        **_origin(story),
        "session_status": name.removeprefix("session.").upper(),
        **_NO_STEP,
        "version": "1",
        "deliver_id": str(arrival),
        "sent_at": at,
        "received_at": at,
        "token": _token(story, event, name, sequence, at),
        "key_thumbprint": "none",
    }


def _token(story: Story, event: str, name: str, sequence: int, at: datetime) -> str:
    payload = {"sessionId": str(story.session_id), "flowId": story.flow_id, "environment": story.environment}
    data = {"eventId": event, "eventName": name, "eventSequence": str(sequence), "payload": payload}
    claims = json.dumps({"sub": event, "iat": int(at.timestamp()), "data": data}).encode()
    return f"eyJhbGciOiJSUzI1NiJ9.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{_UNSIGNED}"


def _body(story: Story, callback: str) -> str:
    ended = story.ended_at.isoformat()
    said = {"callbackId": callback, "sessionId": str(story.session_id), "flowId": story.flow_id}
    more = {"environment": story.environment, "state": story.state, "endedAt": ended, "lastStep": None}
    proof = {"sequences": story.applied, "contiguous": len(story.applied) == 2, "inferred": [], "givenUp": []}
    return json.dumps({"type": f"session.{story.state}", "timestamp": ended, "data": said | more | proof})


def _key(story: Story, owed: Owed) -> _Row:
    return {"session_id": story.session_id, "ordinal": 2, "subscriber": owed.subscriber}


def _origin(story: Story) -> _Row:
    return {"flow_id": story.flow_id, "environment": story.environment}
