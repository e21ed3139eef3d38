"""What each minute brought, by node: growing while the minute lasts, and gone a day later.

A node adds to its own row only, and what it adds is what was counted since it added last: one that was restarted under
the same name goes on with the same row.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

from sqlalchemy import Connection, delete, select

from statekeeper.store.statements import is_postgres, replaced
from statekeeper.store.tables import MinuteRow, table

KEPT: Final = timedelta(hours=24)
_minutes: Final = table(MinuteRow)


@dataclass(frozen=True, slots=True)
class Figures:
    """Events by disposition, refusals by reason, and how many answers took how long, by the buckets of the metric."""

    events: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    latencies: Sequence[int] = ()

    def __bool__(self) -> bool:
        return any((*self.events.values(), *self.refusals.values(), *self.latencies))

    def __add__(self, other: "Figures") -> "Figures":
        return self._with(other, 1)

    def __sub__(self, other: "Figures") -> "Figures":
        return self._with(other, -1)

    def _with(self, other: "Figures", sign: int) -> "Figures":
        pairs = zip_longest(self.latencies, other.latencies, fillvalue=0)
        return Figures(
            _sum(self.events, other.events, sign),
            _sum(self.refusals, other.refusals, sign),
            [one + sign * more for one, more in pairs],
        )


def add(connection: Connection, node: str, grown: Figures, now: datetime) -> None:
    """Add to the current minute of this node, and forget what is older than a day."""
    minute = minute_of(now)
    this = (_minutes.c.minute == minute, _minutes.c.node == node)
    row = connection.execute(select(_minutes).where(*this)).one_or_none()
    total = (Figures(row.events, row.refusals, row.latencies) if row else Figures()) + grown
    figures = {"events": total.events, "refusals": total.refusals, "latencies": total.latencies}
    connection.execute(replaced(_minutes, postgres=is_postgres(connection)), {"minute": minute, "node": node} | figures)
    connection.execute(delete(_minutes).where(_minutes.c.minute < now - KEPT))


def minute_of(at: datetime) -> datetime:
    """The minute's beginning."""
    return at.replace(second=0, microsecond=0)


def _sum(one: Mapping[str, int], other: Mapping[str, int], sign: int) -> dict[str, int]:
    total = Counter(one)
    for name, number in other.items():
        total[name] += sign * number
    return {name: number for name, number in total.items() if number}
