"""One session within a batch: what was read of it, what the fold made of it, and the rows that record it.

A ledger is opened from a session's row, posted to once an arrival (each is folded on its predecessor's result), and
then written out with all others of the batch in bulk. It holds values only; `journal` runs the statements.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self, cast
from uuid import UUID

from statekeeper.core.arrivals import Arrival, Receipt
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition, Known, Progress, Snapshot, Step, advance, close_gap
from statekeeper.core.statechart import Statechart
from statekeeper.store.rows import Row, bearer, delivery_row, event_row, read_snapshot, session_row, transition_row

_TICK: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Ledger:
    """The books of one session while a batch is made.

    `facts` maps each eventId that matters here to its digests and the arrivals that brought them; `numbers` has the
    numbers that events without conflict bear; `waiting` has arrival and time of each held event, by eventId.
    `stored_at` is the `updated_at` that readers may have seen: a change is at least a millisecond later, whatever the
    clock says.
    """

    chart: Statechart
    snapshot: Snapshot
    first_seen_at: datetime
    updated_at: datetime
    stored_at: datetime
    ended_at: datetime | None = None
    arrivals: int = 0
    contradicted: bool = False
    facts: dict[str, dict[bytes, int]] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    waiting: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    unconfirmed: list[Step] = field(default_factory=list)
    events: dict[int, Row] = field(default_factory=dict)
    deliveries: list[Row] = field(default_factory=list)
    dispositions: list[Row] = field(default_factory=list)
    transitions: dict[int, Row] = field(default_factory=dict)
    confirmations: list[Row] = field(default_factory=list)

    @classmethod
    def new(cls, session_id: UUID, chart: Statechart, now: datetime) -> Self:
        return cls(chart, Snapshot(session_id, chart.initial), now, updated_at=now, stored_at=now - _TICK)

    @classmethod
    def of(cls, row: Any, chart: Statechart) -> Self:  # noqa: ANN401 -- a row has no type
        times = (row.first_seen_at, row.updated_at, row.updated_at, row.ended_at)
        return cls(chart, read_snapshot(row), *times, row.arrivals, row.contradicted)

    def hold(self, event: SessionEvent, arrival: int, at: datetime) -> None:
        """Take up one held event that the store has of this session; they must come in the order of their numbers."""
        self.snapshot = replace(self.snapshot, held=(*self.snapshot.held, event))
        self.waiting[event.event_id] = (arrival, at)

    def know(self, event_id: str, sequence: int, digest: bytes, arrival: int, disposition: str) -> None:
        """Take up one event that the store has of this session."""
        self.facts.setdefault(event_id, {})[digest] = arrival
        if disposition != Disposition.CONFLICT:
            self.numbers.add(sequence)

    def post(self, arrival: Arrival, now: datetime) -> tuple[Receipt, Progress]:
        """Fold one arrival, and note what must be written for it."""
        event = arrival.event
        facts = self.facts.get(event.event_id, {})
        known = Known(frozenset(facts), event.sequence in self.numbers, tuple(self.unconfirmed))
        progress = advance(self.chart, self.snapshot, known, event)
        disposition = cast("Disposition", progress.disposition)  # only the closing of a gap has none
        self.arrivals += 1
        if disposition is Disposition.DUPLICATE:
            self.deliveries.append(delivery_row(event, self.arrivals, facts[event.digest], now))
        else:
            self._file(arrival, disposition, now)
        self._enter(progress, now)
        receipt = Receipt(event.event_id, event.session_id, event.sequence, disposition, self.snapshot.state)
        return receipt, progress

    def revise(self, receipt: Receipt) -> Receipt:
        """The receipt of the arrival posted last, if gaps were closed behind it: it may not be held any more."""
        disposition = self.events.get(self.arrivals, {}).get("disposition", receipt.disposition)
        return replace(receipt, disposition=disposition, state=self.snapshot.state)

    def close_gap(self, now: datetime) -> Progress:
        """Give up on the numbers missing before the first held event."""
        progress = close_gap(self.chart, self.snapshot)
        self._enter(progress, now)
        return progress

    @property
    def earliest_held_at(self) -> datetime | None:
        return min((at for _, at in self.waiting.values()), default=None)

    def row(self) -> Row:
        """The session's row as it must stand after this batch."""
        return session_row(self.chart, self.snapshot) | {
            "arrivals": self.arrivals,
            "contradicted": self.contradicted,
            "earliest_held_at": self.earliest_held_at,
            "first_seen_at": self.first_seen_at,
            "updated_at": self.updated_at,
            "ended_at": self.ended_at,
        }

    def _file(self, arrival: Arrival, disposition: Disposition, now: datetime) -> None:
        event = arrival.event
        self.events[self.arrivals] = event_row(arrival, self.arrivals, disposition, now)
        self.know(event.event_id, event.sequence, event.digest, self.arrivals, disposition)
        if disposition is Disposition.CONFLICT:
            self.contradicted = True
        if disposition is Disposition.HELD:
            self.waiting[event.event_id] = (self.arrivals, now)

    def _enter(self, progress: Progress, now: datetime) -> None:
        if progress.after != progress.before:
            self.updated_at = max(now, self.stored_at + _TICK)
        self.snapshot = progress.after
        for event, disposition in progress.settled:
            self._settle(self.waiting.pop(event.event_id)[0], disposition)
        for step in progress.steps:
            self._take(step)
        if progress.confirmed:
            self._confirm(progress.confirmed)

    def _settle(self, arrival: int, disposition: Disposition) -> None:
        """A row of this batch is changed before it is written; one of an earlier batch is updated."""
        if arrival in self.events:
            self.events[arrival]["disposition"] = disposition
        else:
            key = {"of_session": self.snapshot.session_id, "of_arrival": arrival}
            self.dispositions.append(key | {"disposition": disposition})

    def _take(self, step: Step) -> None:
        final = self.chart.is_final(step.target)
        row = transition_row(self.snapshot.session_id, step, self.updated_at, terminal=final)
        self.transitions[step.ordinal] = row
        if step.event is None:
            self.unconfirmed.append(step)
        if final:
            self.ended_at = self.updated_at

    def _confirm(self, step: Step) -> None:
        self.unconfirmed = [other for other in self.unconfirmed if other.ordinal != step.ordinal]
        if step.ordinal in self.transitions:
            self.transitions[step.ordinal] |= bearer(step)
        else:
            key = {"of_session": self.snapshot.session_id, "of_ordinal": step.ordinal}
            self.confirmations.append(key | bearer(step))
