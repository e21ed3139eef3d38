"""Between the core's values and the tables' rows: plain mappings, both ways, and nothing else."""

from datetime import datetime
from typing import Any
from uuid import UUID

from statekeeper.core.arrivals import Arrival
from statekeeper.core.callbacks import Callback, encode
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.machine import Cause, Disposition, Origin, Snapshot, Step
from statekeeper.core.notices import Message
from statekeeper.core.statechart import Statechart

Row = dict[str, Any]


def session_row(chart: Statechart, snapshot: Snapshot) -> Row:
    """The columns of a session that its snapshot decides."""
    return {
        "session_id": snapshot.session_id,
        "state": snapshot.state,
        "terminal": chart.is_final(snapshot.state),
        "cursor": snapshot.cursor,
        "contiguous": snapshot.contiguous,
        "given_up": snapshot.given_up or None,
        "inferred": snapshot.inferred or None,
        "held": tuple(event.sequence for event in snapshot.held),
        "applied": snapshot.applied,
        "ordinal": snapshot.ordinal,
        "flow_id": snapshot.origin.flow_id,
        "environment": snapshot.origin.environment,
        "decided_flow_id": snapshot.decided.flow_id,
        "decided_environment": snapshot.decided.environment,
        **_last_step_row(snapshot.last_step),
        "chart_id": chart.id,
        "chart_version": chart.version,
    }


def read_snapshot(row: Any) -> Snapshot:  # noqa: ANN401 -- a row has no type
    """The snapshot of a session's row, but for the events it holds."""
    return Snapshot(
        session_id=row.session_id,
        state=row.state,
        cursor=row.cursor,
        origin=Origin(row.flow_id, row.environment),
        decided=Origin(row.decided_flow_id, row.decided_environment),
        ordinal=row.ordinal,
        applied=tuple(row.applied),
        contiguous=row.contiguous,
        last_step=_read_last_step(row),
        given_up=tuple(row.given_up or ()),
        inferred=tuple(row.inferred or ()),
    )


def event_row(arrival: Arrival, number: int, disposition: Disposition, now: datetime) -> Row:
    """One distinct event, with its first delivery and its proof."""
    event = arrival.event
    return {
        "session_id": event.session_id,
        "arrival": number,
        "event_id": event.event_id,
        "name": event.name,
        "sequence": event.sequence,
        "digest": event.digest,
        "disposition": disposition,
        "flow_id": event.flow_id,
        "environment": event.environment,
        "session_status": event.session_status,
        **_last_step_row(event.last_step),
        "version": event.version,
        "deliver_id": event.deliver_id,
        "sent_at": event.sent_at,
        "received_at": now,
        "token": arrival.token,
        "key_thumbprint": arrival.key.thumbprint,
    }


def read_event_row(row: Any) -> SessionEvent:  # noqa: ANN401 -- a row has no type
    """The event of an events row, as it was read from its token."""
    return SessionEvent(
        event_id=row.event_id,
        name=row.name,
        sequence=row.sequence,
        session_id=row.session_id,
        flow_id=row.flow_id,
        environment=row.environment,
        session_status=row.session_status,
        last_step=_read_last_step(row),
        version=row.version,
        deliver_id=row.deliver_id,
        sent_at=row.sent_at,
    )


def delivery_row(event: SessionEvent, number: int, of: int, now: datetime) -> Row:
    """A repeat of the event whose arrival was `of`."""
    return {
        "session_id": event.session_id,
        "arrival": number,
        "event_arrival": of,
        "deliver_id": event.deliver_id,
        "received_at": now,
    }


def transition_row(session_id: UUID, step: Step, at: datetime, *, terminal: bool) -> Row:
    return {
        "session_id": session_id,
        "ordinal": step.ordinal,
        "source": step.source,
        "target": step.target,
        "trigger": step.trigger,
        "cause": step.cause,
        **bearer(step),
        "at": at,
        "reason": step.reason,
        "terminal": terminal,
    }


def bearer(step: Step) -> Row:
    """The event that a step bears; both None while it is inferred and not confirmed."""
    event = step.event
    return {"event_id": event.event_id if event else None, "sequence": event.sequence if event else None}


def read_inferred_step(row: Any) -> Step:  # noqa: ANN401 -- a row has no type
    """The inferred step of a transitions row that no event has confirmed yet."""
    return Step(row.ordinal, row.source, row.target, row.trigger, Cause.INFERRED, reason=row.reason)


def callback_row(callback: Callback, due_at: datetime, now: datetime) -> Row:
    ended = callback.ended
    return {
        "session_id": ended.session_id,
        "ordinal": callback.step.ordinal,
        "subscriber": callback.subscriber,
        "callback_id": ended.callback_id,
        "state": ended.state,
        "body": encode(callback),
    } | _owed(due_at, now)


def notice_row(message: Message, due_at: datetime, now: datetime) -> Row:
    """A notice in the queue of callbacks: it belongs to no session, and is its own."""
    return {
        "session_id": message.notice.notice_id,
        "ordinal": 0,
        "subscriber": message.subscriber,
        "callback_id": message.message_id,
        "state": message.notice.type,
        "body": message.body,
    } | _owed(due_at, now)


def _owed(due_at: datetime, now: datetime) -> Row:
    return {"status": "pending", "attempt": 0, "tries": 0, "due_at": due_at, "created_at": now}


def _last_step_row(step: LastStep | None) -> Row:
    return {
        "last_step_id": step.id if step else None,
        "last_step_type": step.type if step else None,
        "last_step_status": step.status if step else None,
    }


def _read_last_step(row: Any) -> LastStep | None:  # noqa: ANN401 -- a row has no type
    step = LastStep(row.last_step_id, row.last_step_type, row.last_step_status)
    return None if step == LastStep(None, None, None) else step
