"""The statements of one batch: ledgers are opened with as few reads, and saved with as few writes, as there are tables.

In this order, each a statement of its own: make the sessions that are new (on PostgreSQL: locking before a row exists
locks nothing, and two nodes would each fold half a session), lock them in the order of their ids, and only then read
what is known of them. On SQLite the transaction itself is the lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, Connection, bindparam, or_, select, update

from statekeeper.core.arrivals import Arrival
from statekeeper.core.machine import Cause, Disposition
from statekeeper.store.charts import Charts
from statekeeper.store.ledger import Ledger
from statekeeper.store.rows import Row, read_event_row, read_inferred_step
from statekeeper.store.statements import execute_many, insert, insert_missing, is_postgres, upsert
from statekeeper.store.tables import CallbackRow, DeliveryRow, EventRow, SessionRow, TransitionRow, table

_sessions: Final = table(SessionRow)
_events: Final = table(EventRow)
_deliveries: Final = table(DeliveryRow)
_transitions: Final = table(TransitionRow)
_callbacks: Final = table(CallbackRow)

OVERDUE_A_SWEEP: Final = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, inside the transaction of `connection`."""

    connection: Connection
    charts: Charts

    def open(self, arrivals: Sequence[Arrival], now: datetime) -> dict[UUID, Ledger]:
        """Lock the sessions of these arrivals and read what is known of them."""
        ids = sorted({arrival.event.session_id for arrival in arrivals}, key=attrgetter("int"))
        if is_postgres(self.connection):
            new = [Ledger.new(session_id, self.charts.current, now).row() for session_id in ids]
            insert_missing(self.connection, _sessions, new)
        rows = self.connection.execute(_LOCK, {"ids": ids})
        ledgers = self._ledgers(row for row in rows if row.arrivals)
        if ledgers:
            self._read_known(ledgers, arrivals)
        return ledgers | {each: Ledger.new(each, self.charts.current, now) for each in ids if each not in ledgers}

    def open_one(self, session_id: UUID, *, lock: bool = True) -> Ledger | None:
        """Read one session and what it holds, under its lock unless it is only to be looked at; None if unknown."""
        query = _LOCK if lock else _LOOK
        rows = self.connection.execute(query, {"ids": [session_id]})
        return self._ledgers(row for row in rows if row.arrivals).get(session_id)

    def open_overdue(self, held_before: datetime) -> list[Ledger]:
        """Lock sessions whose first held event came at `held_before` or earlier; those locked elsewhere are left."""
        query = (
            select(_sessions)
            .where(_sessions.c.earliest_held_at <= held_before)
            .order_by(_sessions.c.earliest_held_at)
            .limit(OVERDUE_A_SWEEP)
        )
        ledgers = self._ledgers(self.connection.execute(query.with_for_update(skip_locked=True)))
        return list(ledgers.values())

    def save(self, ledgers: Iterable[Ledger], callbacks: list[Row]) -> None:
        """Write out what has been posted, but for the steps: those are for `feed.append`, at the transaction's end."""
        ledgers = list(ledgers)
        upsert(self.connection, _sessions, [ledger.row() for ledger in ledgers])
        insert(self.connection, _events, [row for ledger in ledgers for row in ledger.events.values()])
        insert(self.connection, _deliveries, [row for ledger in ledgers for row in ledger.deliveries])
        insert(self.connection, _callbacks, callbacks)
        execute_many(self.connection, _SETTLE, [row for ledger in ledgers for row in ledger.dispositions])
        execute_many(self.connection, _CONFIRM, [row for ledger in ledgers for row in ledger.confirmations])

    def _ledgers(self, rows: Iterable[Any]) -> dict[UUID, Ledger]:
        ledgers = {}
        holding = []
        for row in rows:
            chart = self.charts.get(self.connection, row.chart_id, row.chart_version)
            ledgers[row.session_id] = Ledger.of(row, chart)
            if row.held:
                holding.append(row.session_id)
        if holding:
            self._read_held(holding, ledgers)
        return ledgers

    def _read_held(self, ids: list[UUID], ledgers: Mapping[UUID, Ledger]) -> None:
        for row in self.connection.execute(_HELD, {"ids": ids}):
            ledgers[row.session_id].hold(read_event_row(row), row.arrival, row.received_at)

    def _read_known(self, ledgers: Mapping[UUID, Ledger], arrivals: Sequence[Arrival]) -> None:
        """Only what bears one of the batch's eventIds or numbers: a session may be long."""
        events = [arrival.event for arrival in arrivals if arrival.event.session_id in ledgers]
        keys = {
            "ids": list(ledgers),
            "event_ids": list({event.event_id for event in events}),
            "numbers": list({event.sequence for event in events}),
        }
        for session_id, *fact in self.connection.execute(_KNOWN, keys):
            ledgers[session_id].know(*fact)
        late = {e.session_id for e in events if e.sequence <= ledgers[e.session_id].snapshot.cursor}
        self._read_inferred([s for s in late if not ledgers[s].snapshot.contiguous], ledgers)

    def _read_inferred(self, ids: list[UUID], ledgers: Mapping[UUID, Ledger]) -> None:
        if not ids:
            return
        for row in self.connection.execute(_INFERRED, {"ids": ids}):
            ledgers[row.session_id].unconfirmed.append(read_inferred_step(row))


# Built once: SQLAlchemy finds the compiled form of a statement that it has seen; to build one anew costs as much as to
# execute it.
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_LOOK: Final = select(_sessions).where(_sessions.c.session_id.in_(_IDS))
_LOCK: Final = _LOOK.order_by(_sessions.c.session_id).with_for_update()
_HELD: Final = (
    select(_events)
    .where(_events.c.session_id.in_(_IDS), _events.c.disposition == Disposition.HELD)
    .order_by(_events.c.session_id, _events.c.sequence)
)
_KNOWN: Final = select(
    _events.c.session_id,
    _events.c.event_id,
    _events.c.sequence,
    _events.c.digest,
    _events.c.arrival,
    _events.c.disposition,
).where(
    _events.c.session_id.in_(_IDS),
    or_(
        _events.c.event_id.in_(bindparam("event_ids", expanding=True)),
        _events.c.sequence.in_(bindparam("numbers", expanding=True)),
    ),
)
_INFERRED: Final = (
    select(_transitions)
    .where(
        _transitions.c.session_id.in_(_IDS),
        _transitions.c.cause == Cause.INFERRED,
        _transitions.c.event_id.is_(None),
    )
    .order_by(_transitions.c.session_id, _transitions.c.ordinal)
)
_SETTLE: Final = (
    update(_events)
    .where(_events.c.session_id == bindparam("of_session"), _events.c.arrival == bindparam("of_arrival"))
    .values(disposition=bindparam("disposition"))
)
_CONFIRM: Final = (
    update(_transitions)
    .where(_transitions.c.session_id == bindparam("of_session"), _transitions.c.ordinal == bindparam("of_ordinal"))
    .values(event_id=bindparam("event_id"), sequence=bindparam("sequence"))
)
