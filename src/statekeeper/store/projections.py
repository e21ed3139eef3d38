"""From rows to views: for each document the columns that it is read from, and the function that writes it from them.

The order of the columns is the order in which the function takes them; they stand together for that reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column

from statekeeper.core.instants import rfc3339
from statekeeper.core.resequencer import missing
from statekeeper.store.tables import (
    AttemptRow,
    AuditRow,
    CallbackRow,
    DeliveryRow,
    EventRow,
    RecoveryRow,
    RefusalRow,
    SessionRow,
    TransitionRow,
    table,
)
from statekeeper.store.views import (
    AttemptView,
    AuditView,
    CallbackView,
    ChartView,
    DeliveryView,
    EventView,
    FaultView,
    LastStepView,
    RecoveryView,
    RefusalView,
    SessionCallbackView,
    SessionView,
    TransitionView,
)

Columns = tuple[Column[Any], ...]
CallbackKey = tuple[UUID, int, str]
Attempts = Mapping[CallbackKey, list[AttemptView]]


def _columns(model: Any, names: str) -> Columns:  # noqa: ANN401 -- any of the tables
    return tuple(table(model).c[name] for name in names.split())


SESSION: Final = _columns(
    SessionRow,
    "session_id flow_id environment state terminal cursor held contiguous chart_id chart_version"
    " last_step_id last_step_type last_step_status first_seen_at updated_at ended_at",
)


def session_view(row: Sequence[Any]) -> SessionView:
    key, flow_id, environment, state, terminal, cursor, held, contiguous, chart_id, chart_version, *rest = row
    *step, first_seen_at, updated_at, ended_at = rest
    return SessionView(
        session_id=key,
        flow_id=flow_id,
        environment=environment,
        state=state,
        terminal=terminal,
        cursor=cursor,
        held=held,
        missing=missing(cursor, held) if held else [],
        contiguous=contiguous,
        chart=ChartView(chart_id, chart_version),
        last_step=LastStepView(*step) if any(member is not None for member in step) else None,
        first_seen_at=rfc3339(first_seen_at),
        updated_at=rfc3339(updated_at),
        ended_at=_shown(ended_at),
    )


TRANSITION: Final = _columns(TransitionRow, "ordinal source target trigger cause event_id sequence reason at")


def transition_view(row: Sequence[Any]) -> TransitionView:
    ordinal, source, target, trigger, cause, event_id, sequence, reason, at = row
    return TransitionView(ordinal, source, target, trigger, cause, event_id, sequence, rfc3339(at), reason)


EVENT: Final = _columns(
    EventRow, "arrival event_id name sequence disposition session_status sent_at deliver_id received_at"
)
DELIVERY: Final = _columns(DeliveryRow, "event_arrival deliver_id received_at")


def event_views(events: Iterable[Sequence[Any]], repeats: Iterable[Sequence[Any]]) -> list[EventView]:
    """The events with their deliveries: the first, which is in the event's own row, and the repeats in their order."""
    deliveries: dict[int, list[DeliveryView]] = {}
    for arrival, deliver_id, received_at in repeats:
        deliveries.setdefault(arrival, []).append(DeliveryView(deliver_id, rfc3339(received_at)))
    return [_event_view(row, deliveries.get(row[0], [])) for row in events]


def _event_view(row: Sequence[Any], repeats: list[DeliveryView]) -> EventView:
    _, event_id, name, sequence, disposition, session_status, sent_at, deliver_id, received_at = row
    first = DeliveryView(deliver_id, rfc3339(received_at))
    return EventView(
        event_id=event_id,
        event_name=name,
        sequence=sequence,
        disposition=disposition,
        session_status=session_status,
        sent_at=_shown(sent_at),
        received_at=first.received_at,
        deliveries=[first, *repeats],
    )


CALLBACK: Final = _columns(
    CallbackRow, "session_id ordinal subscriber callback_id state status receipt due_at created_at"
)
ATTEMPT: Final = _columns(AttemptRow, "session_id ordinal subscriber number outcome duration_ms detail response at")


def attempts_by_callback(rows: Iterable[Sequence[Any]]) -> Attempts:
    """The attempts of many callbacks, sorted out; the rows come by their number."""
    attempts: dict[CallbackKey, list[AttemptView]] = {}
    for session_id, ordinal, subscriber, number, outcome, duration_ms, detail, response, at in rows:
        view = AttemptView(number, rfc3339(at), duration_ms, outcome, detail, response)
        attempts.setdefault((session_id, ordinal, subscriber), []).append(view)
    return attempts


def callback_view(row: Sequence[Any], attempts: Attempts) -> CallbackView:
    return CallbackView(**_callback(row, attempts))


def session_callback_view(row: Sequence[Any], attempts: Attempts) -> SessionCallbackView:
    """A notice is of no session."""
    return SessionCallbackView(session_id=row[0] if row[1] else None, **_callback(row, attempts))


def _callback(row: Sequence[Any], attempts: Attempts) -> dict[str, Any]:
    session_id, ordinal, subscriber, callback_id, state, status, receipt, due_at, _ = row
    return {
        "callback_id": callback_id,
        "subscriber": subscriber,
        "state": state,
        "status": status,
        "receipt": receipt,
        "attempts": attempts.get((session_id, ordinal, subscriber), []),
        "next_attempt_at": _shown(due_at),
    }


AUDIT: Final = _columns(
    AuditRow, "entry_id at actor role via origin act session_id callback_id subject reason effect account"
)


def audit_view(row: Sequence[Any]) -> AuditView:
    entry_id, at, *rest = row
    return AuditView(str(entry_id), rfc3339(at), *rest)


RECOVERY: Final = _columns(RecoveryRow, "recovery_id kind subscriber since until total done created_at finished_at")


def recovery_view(row: Sequence[Any]) -> RecoveryView:
    key, kind, subscriber, since, until, total, done, created_at, finished_at = row
    times = rfc3339(since), rfc3339(until)
    return RecoveryView(key, kind, subscriber, *times, total, done, rfc3339(created_at), _shown(finished_at))


REFUSAL: Final = _columns(RefusalRow, "at faults token key_thumbprint")


def refusal_view(row: Sequence[Any]) -> RefusalView:
    at, faults, token, key_thumbprint = row
    return RefusalView(rfc3339(at), [FaultView(**fault) for fault in faults], token, key_thumbprint)


def _shown(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
