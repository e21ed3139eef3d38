"""The write side: a batch of arrivals, folded and recorded in the transaction that the caller opened.

`batch` reads and writes in bulk, and a `ledger` a session folds in between. Events, transitions, snapshot and callbacks
belong to one transaction: they are on disk together or not at all. Deadlines are derived from rows, never from memory.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from statekeeper.core.arrivals import Arrival, Receipt, SigningKey
from statekeeper.core.callbacks import callbacks_due, undecidable
from statekeeper.core.machine import Progress
from statekeeper.core.notices import gap_closed, messages_due
from statekeeper.core.retry import pause
from statekeeper.core.subscribers import Subscriber
from statekeeper.store.batch import Batch
from statekeeper.store.charts import Charts
from statekeeper.store.ledger import Ledger
from statekeeper.store.refusals import Refusal, keep_refusal
from statekeeper.store.rows import Row, callback_row, notice_row
from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import SigningKeyRow, table
from statekeeper.store.uptime import tick
from statekeeper.store.views import AuditView

_keys: Final = table(SigningKeyRow)


@dataclass(slots=True)
class Entry:
    """What a batch did, for those who must know once it is committed; `steps` are rows that the feed still awaits."""

    receipts: list[Receipt] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    steps: list[Row] = field(default_factory=list)
    callbacks: int = 0
    undecidable: list[tuple[UUID, str]] = field(default_factory=list)
    gaps_closed: int = 0
    keys: set[str] = field(default_factory=set)
    acts: list[AuditView] = field(default_factory=list)


@dataclass(slots=True)
class Journal:
    """Writes arrivals and closes gaps. `jitter` is drawn from 0 to 1 for each callback."""

    charts: Charts
    subscribers: tuple[Subscriber, ...] = ()
    gap_timeout: timedelta = timedelta(seconds=30)
    first_delay: float = 0
    jitter: Callable[[], float] = random.random
    archived: set[str] = field(default_factory=set)

    def write(self, connection: Connection, arrivals: Sequence[Arrival], now: datetime) -> Entry:
        """Record a batch; the receipts are in the order of the arrivals."""
        entry, batch = Entry(), Batch(connection, self.charts)
        ledgers = batch.open(arrivals, now)
        callbacks: list[Row] = []
        for arrival in arrivals:
            ledger = ledgers[arrival.event.session_id]
            receipt, progress = ledger.post(arrival, now)
            callbacks += self._follow(ledger, progress, entry, now)
            if not self.gap_timeout:
                callbacks += self._close_gaps(ledger, now, now, entry)
                receipt = ledger.revise(receipt)
            entry.receipts.append(receipt)
        self._save(batch, ledgers.values(), callbacks, entry)
        self._archive(connection, (arrival.key for arrival in arrivals), now, entry)
        return entry

    def sweep(self, connection: Connection, now: datetime) -> Entry:
        """Note that the service lives, and give up on the gaps whose time is over."""
        entry, batch = Entry(), Batch(connection, self.charts)
        up_since = tick(connection, now)
        if up_since + self.gap_timeout > now:
            return entry
        callbacks: list[Row] = []
        ledgers = batch.open_overdue(now - self.gap_timeout)
        for ledger in ledgers:
            callbacks += self._close_gaps(ledger, now, up_since, entry)
        self._save(batch, ledgers, callbacks, entry)
        return entry

    def close_gap(self, connection: Connection, ledger: Ledger, now: datetime) -> Entry:
        """Give up on a session's first gap now, whatever its wait; the ledger must be open under its lock."""
        entry, batch = Entry(), Batch(connection, self.charts)
        self._save(batch, [ledger], self._close_gap(ledger, now, entry), entry)
        return entry

    def refuse(self, connection: Connection, refusal: Refusal, now: datetime) -> Entry:
        """Keep a verified webhook that was no event, for the operator."""
        keep_refusal(connection, refusal, now)
        entry = Entry()
        self._archive(connection, [refusal.key], now, entry)
        return entry

    def _follow(self, ledger: Ledger, progress: Progress, entry: Entry, now: datetime) -> list[Row]:
        """The callbacks that this progress owes, as rows; what others must know goes into the entry."""
        if progress.after != progress.before or progress.confirmed:
            entry.changed.add(progress.after.session_id)
        if not progress.steps:
            return []
        due = callbacks_due(ledger.chart, progress, self.subscribers, ledger.updated_at)
        session_id = progress.after.session_id
        entry.undecidable += [(session_id, name) for name in undecidable(ledger.chart, progress, self.subscribers)]
        return [callback_row(callback, self._due_at(now), now) for callback in due]

    def _notice(self, progress: Progress, now: datetime) -> list[Row]:
        """What those who ask for it are told of a gap that was closed."""
        notice = gap_closed(progress.after.session_id, progress.given_up, progress.inferred, now)
        return [notice_row(each, self._due_at(now), now) for each in messages_due(notice, self.subscribers)]

    def _due_at(self, now: datetime) -> datetime:
        return now + pause(self.first_delay, self.jitter())

    @staticmethod
    def _save(batch: Batch, ledgers: Iterable[Ledger], callbacks: list[Row], entry: Entry) -> None:
        ledgers = list(ledgers)
        batch.save(ledgers, callbacks)
        entry.callbacks += len(callbacks)
        entry.steps += [row for ledger in ledgers for row in ledger.transitions.values()]

    def _close_gaps(self, ledger: Ledger, now: datetime, up_since: datetime, entry: Entry) -> list[Row]:
        """Each gap has its own wait: the next one may be over as well, or not yet."""
        callbacks: list[Row] = []
        while (held_at := ledger.earliest_held_at) and max(held_at, up_since) + self.gap_timeout <= now:
            callbacks += self._close_gap(ledger, now, entry)
        return callbacks

    def _close_gap(self, ledger: Ledger, now: datetime, entry: Entry) -> list[Row]:
        """Close one gap; the rows of what it owes."""
        progress = ledger.close_gap(now)
        entry.gaps_closed += 1
        return self._follow(ledger, progress, entry, now) + self._notice(progress, now)

    def _archive(self, connection: Connection, keys: Iterable[SigningKey], now: datetime, entry: Entry) -> None:
        """Keep every key that verified something. `committed` remembers which need not be written again."""
        new = {key.thumbprint: key for key in keys if key.thumbprint not in self.archived}
        for key in new.values():
            row = {"thumbprint": key.thumbprint, "kid": key.kid, "jwk": key.jwk, "first_used_at": now}
            insert_missing(connection, _keys, [row])
        entry.keys |= new.keys()

    def committed(self, entry: Entry) -> None:
        """Take note that what `entry` tells of is on disk."""
        self.archived |= entry.keys
