"""Whether the store answers, and what waits in it: what the health checks and the figures are made of."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from statekeeper.core.health import State
from statekeeper.store import health
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import CallbackRow, SessionRow, table

_sessions: Final = table(SessionRow)
_callbacks: Final = table(CallbackRow)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What waits in the store: numbers of rows, and ages in seconds."""

    held_sessions: float
    oldest_gap: float
    oldest_due: float
    pending: dict[str, int] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    circuits: dict[str, State] = field(default_factory=dict)

    def unloaded(self, loaded: Collection[str]) -> int:
        """How many callbacks wait for a subscriber that is not among the loaded ones."""
        return sum(count for subscriber, count in self.pending.items() if subscriber not in loaded)


class Monitoring:
    """Looks at the store as a whole."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers from its tables."""
        await self._reader.rows(select(_sessions.c.session_id).limit(1))

    async def gauges(self) -> Gauges:
        """What the store has waiting now."""
        (held, gap, due, counts), healths = await self._reader.read(lambda c: (_waiting(c), health.read_all(c)))
        now = self._reader.clock()
        numbers = {status: {key: count for key, of, count in counts if of == status} for status in ("pending", "dead")}
        circuits = {name: each.state for name, each in healths.items()}
        return Gauges(held, _age(gap, now), _age(due, now), numbers["pending"], numbers["dead"], circuits)


def _waiting(connection: Connection) -> tuple[int, datetime | None, datetime | None, list[tuple[str, str, int]]]:
    """Sessions that hold events, the earliest arrival among those, the earliest due time, and callbacks by status."""
    since = _sessions.c.earliest_held_at
    held, gap = connection.execute(select(func.count(), func.min(since)).where(since.is_not(None))).one()
    subscriber, status, due_at = _callbacks.c.subscriber, _callbacks.c.status, _callbacks.c.due_at
    counts = (
        select(subscriber, status, func.count(), func.min(due_at))
        .where(status.in_(("pending", "dead")))
        .group_by(subscriber, status)
    )
    rows = connection.execute(counts).all()
    due = min((row[3] for row in rows if row[3] is not None), default=None)
    return held, gap, due, [(row[0], row[1], row[2]) for row in rows]


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0) if since else 0.0
