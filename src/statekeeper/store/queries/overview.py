"""The service at a glance: where the sessions are, what the last hour brought, and what waits.

Nothing is counted that grows with the store: sessions by state are kept with the feed, what a minute brought is kept by
the minute, and what waits is counted along indexes that have nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from statekeeper.core.quantiles import quantile
from statekeeper.metrics import ACK_BUCKETS
from statekeeper.resources import default_chart
from statekeeper.store import waiting
from statekeeper.store.minutes import Figures, minute_of
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import FeedHeadRow, MinuteRow, RefusalRow, SessionRow, table
from statekeeper.store.waiting import Owed

_sessions: Final = table(SessionRow)
_minutes: Final = table(MinuteRow)
_refusals: Final = table(RefusalRow)
HOUR: Final = 60
NEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of all nodes; half of the answers, and 99 in 100, took no longer than `p50` and `p99` seconds."""

    at: datetime
    events: Mapping[str, int]
    refusals: Mapping[str, int]
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A verified webhook that was no event: what was wrong with which fields, and nothing of its token."""

    at: datetime
    faults: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Overview:
    """As of `at`. `minutes` are the last sixty, the oldest first, with an empty one where nothing came.

    `refusals` counts those of the hour by reason, `p50` and `p99` are over it all, in seconds; `newest_refusals` are
    verified webhooks that were no events. `owed` has every subscriber that was ever owed anything.
    """

    at: datetime
    states: Mapping[str, int]
    minutes: list[Minute]
    refusals: Mapping[str, int]
    p50: float | None
    p99: float | None
    held: int
    held_since: datetime | None
    owed: list[Owed]
    newest_refusals: list[Refused] = field(default_factory=list)

    @property
    def oldest_due(self) -> datetime | None:
        """When the first callback was due that is due by now; None if there is none."""
        return min((each.due_at for each in self.owed if each.due_at and each.due_at <= self.at), default=None)


class Overviews:
    """Looks at all of it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(self) -> Overview:
        """The service as of now."""
        return await self._reader.read(_read, self._reader.clock())


def _read(connection: Connection, now: datetime) -> Overview:
    by_minute = _read_minutes(connection, now)
    total = sum(by_minute.values(), Figures())
    number, since = waiting.held(connection)
    newest = select(_refusals.c.at, _refusals.c.faults).order_by(_refusals.c.refusal_id.desc()).limit(NEWEST)
    return Overview(
        at=now,
        states=count_states(connection),
        minutes=[_minute(at, figures) for at, figures in by_minute.items()],
        refusals=total.refusals,
        p50=_latency(0.5, total),
        p99=_latency(0.99, total),
        held=number,
        held_since=since,
        owed=waiting.owed(connection),
        newest_refusals=[Refused(*row) for row in connection.execute(newest)],
    )


def count_states(connection: Connection) -> dict[str, int]:
    """The sessions by their state; those in the initial one are few, most without a step, and are counted now."""
    initial = default_chart().initial
    kept = connection.execute(select(table(FeedHeadRow).c.states)).scalar() or {}
    initially: int = connection.execute(select(func.count()).where(_sessions.c.state == initial)).scalar_one()
    return {state: number for state, number in (kept | {initial: initially}).items() if number}


def _read_minutes(connection: Connection, now: datetime) -> dict[datetime, Figures]:
    """The last sixty minutes, the current one included, the nodes of each added up."""
    last = minute_of(now)
    found = {last - timedelta(minutes=ago): Figures() for ago in reversed(range(HOUR))}
    query = select(_minutes).where(_minutes.c.minute >= min(found), _minutes.c.minute <= last)
    for row in connection.execute(query):
        found[row.minute] += Figures(row.events, row.refusals, row.latencies)
    return found


def _minute(at: datetime, figures: Figures) -> Minute:
    return Minute(at, figures.events, figures.refusals, _latency(0.5, figures), _latency(0.99, figures))


def _latency(share: float, figures: Figures) -> float | None:
    return quantile(share, ACK_BUCKETS, figures.latencies)
