"""Whether the store answers, and what waits in it: what the health checks and the figures are made of."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from statekeeper.core.health import Health, State
from statekeeper.store import health, waiting
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import SessionRow, table
from statekeeper.store.waiting import Owed

_sessions: Final = table(SessionRow)


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
        (held, gap), owed, healths = await self._reader.read(_waiting)
        now = self._reader.clock()
        due = min((each.due_at for each in owed if each.due_at), default=None)
        pending = {each.subscriber: each.pending for each in owed if each.pending}
        dead = {each.subscriber: each.dead for each in owed if each.dead}
        circuits = {name: each.state for name, each in healths.items()}
        return Gauges(held, _age(gap, now), _age(due, now), pending, dead, circuits)


def _waiting(connection: Connection) -> tuple[tuple[int, datetime | None], list[Owed], dict[str, Health]]:
    return waiting.held(connection), waiting.owed(connection), health.read_all(connection)


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0) if since else 0.0
