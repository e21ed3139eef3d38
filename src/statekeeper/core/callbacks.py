"""Which callbacks a step owes, and what they say.

A step into a final state owes one callback to each subscriber whose filters fit; any other step owes one to those that
ask for all. What it says is frozen then: a function gets it as `SessionEnded`, an endpoint as the JSON of `encode`, the
same bytes on every attempt. The id is a UUIDv5 of session, ordinal and subscriber: a repeated write is harmless.

Every callback bears an ordering certificate: the numbers applied, the steps inferred, the numbers given up on, and
whether the order was contiguous, so that its receiver knows whether a decision was made over a hole.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from statekeeper.core.events import LastStep
from statekeeper.core.instants import parse_rfc3339, rfc3339
from statekeeper.core.machine import Progress, Step
from statekeeper.core.statechart import Statechart
from statekeeper.core.subscribers import Match, Subscriber

_to_json: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session has reached a terminal state: what business code is told, exactly as it happened.

    `sequences` are the numbers of the events applied; `inferred` the triggers of steps that no event bears, `given_up`
    the numbers that the order went on without; `contiguous` is False once there was either, confirmed since or not.
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
    inferred: list[str] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback owed: to whom, for which step, and what it says.

    Of a step that did not end its session, `ended.ended_at` is the step's time. `detailed` callbacks tell of the step.
    """

    subscriber: str
    step: Step
    ended: SessionEnded
    final: bool = True
    detailed: bool = False


def callbacks_due(
    chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber], at: datetime
) -> tuple[Callback, ...]:
    """The callbacks that this progress owes, in the order of its steps, which were all taken at this time."""
    return tuple(
        Callback(each.name, step, _ended(progress, step, each, at), chart.is_final(step.target), each.ordered)
        for step, each, match in _matches(chart, progress.steps, subscribers)
        if match is Match.YES
    )


def undecidable(chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber]) -> tuple[str, ...]:
    """The subscribers that get no callback only because the session's flow or environment is unknown."""
    open_steps = [step for step in progress.steps if not step.decided.complete]
    matches = _matches(chart, open_steps, subscribers)
    return tuple(subscriber.name for _, subscriber, match in matches if match is Match.UNKNOWN)


def _matches(
    chart: Statechart, steps: Iterable[Step], subscribers: Iterable[Subscriber]
) -> Iterator[tuple[Step, Subscriber, Match]]:
    for step in steps:
        final = chart.is_final(step.target)
        for subscriber in subscribers:
            yield step, subscriber, subscriber.match(step.target, step.decided, final=final)


def _ended(progress: Progress, step: Step, subscriber: Subscriber, at: datetime) -> SessionEnded:
    """What was so right behind the step, whatever this progress did further."""
    after, later = progress.after, [each for each in progress.steps if each.ordinal > step.ordinal]
    unborne = sum(each.event is None for each in later)
    return SessionEnded(
        callback_id=callback_id(after.session_id, step.ordinal, subscriber.name),
        session_id=after.session_id,
        flow_id=step.decided.flow_id,
        environment=step.decided.environment,
        state=step.target,
        ended_at=at,
        last_step=step.last_step,
        sequences=list(after.applied[: len(after.applied) - (len(later) - unborne)]),
        contiguous=after.contiguous,
        inferred=list(after.inferred[: len(after.inferred) - unborne]),
        given_up=list(after.given_up),
    )


def callback_id(session_id: UUID, ordinal: int, subscriber: str) -> UUID:
    return uuid5(session_id, f"{ordinal}:{subscriber}")


def encode(callback: Callback) -> str:
    """The body that an endpoint gets, in the shape of Standard Webhooks: `type`, `timestamp`, `data`."""
    ended, last = callback.ended, callback.ended.last_step
    at = rfc3339(ended.ended_at)
    data = {
        "callbackId": str(ended.callback_id),
        "sessionId": str(ended.session_id),
        "flowId": ended.flow_id,
        "environment": ended.environment,
        "state": ended.state,
        "endedAt": at if callback.final else None,
        "lastStep": {"id": last.id, "type": last.type, "status": last.status} if last else None,
        "sequences": ended.sequences,
        "contiguous": ended.contiguous,
        "inferred": ended.inferred,
        "givenUp": ended.given_up,
    }
    if callback.detailed:
        data["transition"] = _transition(callback.step)
    body = {"type": f"session.{ended.state}", "timestamp": at, "data": data}
    return _to_json(body)


def _transition(step: Step) -> dict[str, Any]:
    return {
        "ordinal": step.ordinal,
        "source": step.source,
        "target": step.target,
        "trigger": step.trigger,
        "cause": step.cause,
        "eventId": step.event.event_id if step.event else None,
        "sequence": step.event.sequence if step.event else None,
    }


def decode(body: str) -> SessionEnded:
    """What `encode` wrote of a session's end, for the function that is called with it.

    Members that are not known here, of a later version, are passed over.
    """
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
        inferred=data.get("inferred", []),  # a callback written by 0.1 has no more than `contiguous`
        given_up=data.get("givenUp", []),
    )
