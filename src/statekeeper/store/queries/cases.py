"""A session with everything that befell it, as of one moment: what is told to a person is made of this."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, select

from statekeeper.core.events import LastStep
from statekeeper.explanation.case import Case, CaseAct, CaseAttempt, CaseCallback, CaseEvent, CaseStep, Repeat
from statekeeper.resources import default_chart
from statekeeper.store import health
from statekeeper.store.charts import Charts
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import (
    AttemptRow,
    AuditRow,
    CallbackRow,
    DeliveryRow,
    EventRow,
    SessionRow,
    SigningKeyRow,
    TransitionRow,
    UptimeRow,
    table,
)

_sessions: Final = table(SessionRow)
_keys: Final = table(SigningKeyRow)
_ORDERS: Final = {
    table(EventRow): ("arrival",),
    table(DeliveryRow): ("arrival",),
    table(TransitionRow): ("ordinal",),
    table(CallbackRow): ("ordinal", "subscriber"),
    table(AttemptRow): ("number",),
    table(AuditRow): ("entry_id",),
}


class Cases:
    """Tells all of a session."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._charts: Final = Charts(default_chart())

    def now(self) -> datetime:
        """The time that what is found is as of."""
        return self._reader.clock()

    async def find(self, session_id: UUID) -> Case | None:
        """All that is known of one session, or None if it is unknown."""
        return await self._reader.read(self._read, session_id)

    def _read(self, connection: Connection, session_id: UUID) -> Case | None:
        row = connection.execute(select(_sessions).where(_sessions.c.session_id == session_id)).one_or_none()
        if row is None or not row.arrivals:
            return None
        return Case(
            session_id=session_id,
            chart=self._charts.get(connection, row.chart_id, row.chart_version),
            state=row.state,
            first_seen_at=row.first_seen_at,
            updated_at=row.updated_at,
            cursor=row.cursor,
            contiguous=row.contiguous,
            contradicted=row.contradicted,
            held=tuple(row.held),
            applied=tuple(row.applied),
            given_up=tuple(row.given_up or ()),
            inferred=tuple(row.inferred or ()),
            flow_id=row.flow_id,
            environment=row.environment,
            last_step=_last_step(row),
            ended_at=row.ended_at,
            held_since=row.earliest_held_at,
            up_since=connection.execute(select(table(UptimeRow).c.up_since)).scalar_one_or_none(),
            events=_read_events(connection, session_id),
            steps=tuple(map(_step, _rows(connection, TransitionRow, session_id))),
            callbacks=_read_callbacks(connection, session_id),
            acts=tuple(map(_act, _rows(connection, AuditRow, session_id))),
            healths=health.read_all(connection),
        )


def _rows(connection: Connection, model: Any, session_id: UUID) -> Sequence[Any]:  # noqa: ANN401 -- any of the tables
    of: Table = table(model)
    order = (of.c[name] for name in _ORDERS[of])
    return connection.execute(select(of).where(of.c.session_id == session_id).order_by(*order)).all()


def _read_events(connection: Connection, session_id: UUID) -> tuple[CaseEvent, ...]:
    repeats: dict[int, list[Repeat]] = {}
    for row in _rows(connection, DeliveryRow, session_id):
        repeats.setdefault(row.event_arrival, []).append(Repeat(row.deliver_id, row.received_at))
    rows = _rows(connection, EventRow, session_id)
    used = {row.key_thumbprint for row in rows}
    keys = select(_keys.c.thumbprint, _keys.c.jwk).where(_keys.c.thumbprint.in_(used))
    jwks = {key.thumbprint: key.jwk for key in connection.execute(keys)}
    return tuple(_event(row, repeats.get(row.arrival, []), jwks.get(row.key_thumbprint)) for row in rows)


def _event(row: Any, repeats: list[Repeat], jwk: str | None) -> CaseEvent:  # noqa: ANN401 -- a row has no type
    return CaseEvent(
        arrival=row.arrival,
        event_id=row.event_id,
        name=row.name,
        sequence=row.sequence,
        disposition=row.disposition,
        received_at=row.received_at,
        flow_id=row.flow_id,
        environment=row.environment,
        session_status=row.session_status,
        last_step=_last_step(row),
        deliver_id=row.deliver_id,
        sent_at=row.sent_at,
        repeats=tuple(repeats),
        token=row.token,
        thumbprint=row.key_thumbprint,
        jwk=jwk,
    )


def _step(row: Any) -> CaseStep:  # noqa: ANN401 -- a row has no type
    step = (row.ordinal, row.source, row.target, row.trigger, row.cause, row.at)
    return CaseStep(*step, row.event_id, row.sequence, row.reason)


def _read_callbacks(connection: Connection, session_id: UUID) -> tuple[CaseCallback, ...]:
    attempts: dict[tuple[int, str], list[CaseAttempt]] = {}
    for row in _rows(connection, AttemptRow, session_id):
        over = CaseAttempt(row.number, row.at, row.duration_ms, row.outcome, row.detail, row.response)
        attempts.setdefault((row.ordinal, row.subscriber), []).append(over)
    rows = _rows(connection, CallbackRow, session_id)
    return tuple(_callback(row, attempts.get((row.ordinal, row.subscriber), [])) for row in rows)


def _callback(row: Any, attempts: list[CaseAttempt]) -> CaseCallback:  # noqa: ANN401 -- a row has no type
    return CaseCallback(
        callback_id=row.callback_id,
        subscriber=row.subscriber,
        ordinal=row.ordinal,
        state=row.state,
        status=row.status,
        created_at=row.created_at,
        then=json.loads(row.body)["data"],
        attempts=tuple(attempts),
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        delivered_at=row.delivered_at,
        receipt=row.receipt,
        buried_at=row.buried_at,
    )


def _act(row: Any) -> CaseAct:  # noqa: ANN401 -- a row has no type
    who = (row.entry_id, row.at, row.actor, row.role, row.via, row.act, row.origin)
    return CaseAct(*who, row.callback_id, row.reason, row.effect)


def _last_step(row: Any) -> LastStep | None:  # noqa: ANN401 -- a row has no type
    step = LastStep(row.last_step_id, row.last_step_type, row.last_step_status)
    return None if step == LastStep(None, None, None) else step
