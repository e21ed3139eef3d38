"""Which callbacks a step owes, and what they say.

A step into a final state owes one callback to each subscriber whose filters fit. What it says is frozen then: a
function gets it as `SessionEnded`, an endpoint as the JSON of `encode`, the same bytes on every attempt. The id is a
UUIDv5 of session, ordinal and subscriber, so that a repeated write is harmless.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from statekeeper.core.events import LastStep
from statekeeper.core.instants import parse_rfc3339, rfc3339
from statekeeper.core.machine import Origin, Progress, Snapshot, Step
from statekeeper.core.statechart import Statechart


class Match(StrEnum):
    """Whether a subscriber's filters fit; `unknown` if one asks for what no event has said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who wants to know: an endpoint by its name, a function by its `module:name`. An empty filter fits everything."""

    name: str
    states: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    flows: frozenset[str] = frozenset()

    def match(self, state: str, origin: Origin) -> Match:
        if self.states and state not in self.states:
            return Match.NO
        filters = ((self.environments, origin.environment), (self.flows, origin.flow_id))
        if any(wanted and said is not None and said not in wanted for wanted, said in filters):
            return Match.NO
        return Match.UNKNOWN if any(wanted and said is None for wanted, said in filters) else Match.YES


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session has reached a terminal state: what business code is told, exactly as it happened.

    `sequences` are the numbers of the events applied; `contiguous` is False where one of the steps was inferred or a
    number was given up on.
    """

    callback_id: UUID
    session_id: UUID
    flow_id: str | None
    environment: str | None
    state: str
    ended_at: datetime
    last_step: LastStep | None
    sequences: list[int]
    contiguous: bool


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback owed: to whom, for which step, and what it says."""

    subscriber: str
    ordinal: int
    ended: SessionEnded


def callbacks_due(
    chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber], ended_at: datetime
) -> tuple[Callback, ...]:
    """The callbacks that this progress owes: none unless one of its steps ended the session."""
    return tuple(
        Callback(subscriber.name, step.ordinal, _ended(progress.after, step, subscriber, ended_at))
        for step, subscriber, match in _matches(chart, progress, subscribers)
        if match is Match.YES
    )


def undecidable(chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber]) -> tuple[str, ...]:
    """The subscribers that get no callback only because the session's flow or environment is unknown."""
    matches = _matches(chart, progress, subscribers)
    return tuple(subscriber.name for _, subscriber, match in matches if match is Match.UNKNOWN)


def _matches(
    chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber]
) -> Iterator[tuple[Step, Subscriber, Match]]:
    for step in progress.steps:
        if chart.is_final(step.target):
            for subscriber in subscribers:
                yield step, subscriber, subscriber.match(step.target, progress.after.decided)


def _ended(after: Snapshot, step: Step, subscriber: Subscriber, ended_at: datetime) -> SessionEnded:
    return SessionEnded(
        callback_id=uuid5(after.session_id, f"{step.ordinal}:{subscriber.name}"),
        session_id=after.session_id,
        flow_id=after.decided.flow_id,
        environment=after.decided.environment,
        state=step.target,
        ended_at=ended_at,
        last_step=after.last_step,
        sequences=list(after.applied),
        contiguous=after.contiguous,
    )


def encode(ended: SessionEnded) -> str:
    """The body that an endpoint gets, in the shape of Standard Webhooks: `type`, `timestamp`, `data`."""
    step = ended.last_step
    data = {
        "callbackId": str(ended.callback_id),
        "sessionId": str(ended.session_id),
        "flowId": ended.flow_id,
        "environment": ended.environment,
        "state": ended.state,
        "endedAt": rfc3339(ended.ended_at),
        "lastStep": {"id": step.id, "type": step.type, "status": step.status} if step else None,
        "sequences": ended.sequences,
        "contiguous": ended.contiguous,
    }
    body = {"type": f"session.{ended.state}", "timestamp": data["endedAt"], "data": data}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def decode(body: str) -> SessionEnded:
    """What `encode` wrote, for the function that is called with it; members that are not known are passed over."""
    data = json.loads(body)["data"]
    step = data["lastStep"]
    return SessionEnded(
        callback_id=UUID(data["callbackId"]),
        session_id=UUID(data["sessionId"]),
        flow_id=data["flowId"],
        environment=data["environment"],
        state=data["state"],
        ended_at=parse_rfc3339(data["endedAt"]),
        last_step=LastStep(step["id"], step["type"], step["status"]) if step else None,
        sequences=data["sequences"],
        contiguous=data["contiguous"],
    )
