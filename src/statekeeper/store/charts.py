"""The charts that sessions are pinned to: each document is kept by its id and version, and compiled on demand."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from statekeeper.core.statechart import Statechart
from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import ChartRow, table

_charts: Final = table(ChartRow)


@dataclass(slots=True)
class Charts:
    """The chart that new sessions get, and those that older ones keep."""

    current: Statechart
    _compiled: dict[tuple[str, str], Statechart] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._compiled[self.current.id, self.current.version] = self.current

    def register(self, connection: Connection, now: datetime) -> None:
        """Keep the current chart's document; every start does so, before any session is pinned to it."""
        chart = self.current
        row = {"chart_id": chart.id, "version": chart.version, "document": chart.canonical, "first_used_at": now}
        insert_missing(connection, _charts, [row])

    def get(self, connection: Connection, chart_id: str, version: str) -> Statechart:
        """The chart that a session is pinned to."""
        key = (chart_id, version)
        if key not in self._compiled:
            query = select(_charts.c.document).where(_charts.c.chart_id == chart_id, _charts.c.version == version)
            self._compiled[key] = Statechart.compile(json.loads(connection.execute(query).scalar_one()))
        return self._compiled[key]
