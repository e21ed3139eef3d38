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
from statekeeper.core.callbacks import Subscriber, callbacks_due, undecidable
from statekeeper.core.machine import Progress
from statekeeper.core.retry import pause
from statekeeper.store.batch import Batch
from statekeeper.store.charts import Charts
from statekeeper.store.ledger import Ledger
from statekeeper.store.refusals import Refusal, keep_refusal
from statekeeper.store.rows import Row, callback_row
from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import SigningKeyRow, table
from statekeeper.store.uptime import tick

_keys: Final = table(SigningKeyRow)


@dataclass(slots=True)
class Entry:
    """What a batch did, for those who must know once it is committed."""

    receipts: list[Receipt] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    callbacks: int = 0
    undecidable: list[tuple[UUID, str]] = field(default_factory=list)
    gaps_closed: int = 0
    keys: set[str] = field(default_factory=set)


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
        batch.save(ledgers.values(), callbacks)
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
        batch.save(ledgers, callbacks)
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
        if not progress.steps or ledger.ended_at is None:
            return []
        due = callbacks_due(ledger.chart, progress, self.subscribers, ledger.ended_at)
        entry.callbacks += len(due)
        session_id = progress.after.session_id
        entry.undecidable += [(session_id, name) for name in undecidable(ledger.chart, progress, self.subscribers)]
        return [callback_row(callback, now + pause(self.first_delay, self.jitter()), now) for callback in due]

    def _close_gaps(self, ledger: Ledger, now: datetime, up_since: datetime, entry: Entry) -> list[Row]:
        """Each gap has its own wait: the next one may be over as well, or not yet."""
        callbacks: list[Row] = []
        while (held_at := ledger.earliest_held_at) and max(held_at, up_since) + self.gap_timeout <= now:
            callbacks += self._follow(ledger, ledger.close_gap(now), entry, now)
            entry.gaps_closed += 1
        return callbacks

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
