"""A store filled with a crowd: in bulk, without indexes until all rows are there, and in one transaction."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import uvloop
from sqlalchemy import Connection, create_engine

from benchmarks import crowd_rows as tell
from benchmarks.crowd import CHART, SEED, YEAR, Crowd, Story, cut
from benchmarks.crowd_acts import Acts
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.statements import insert
from statekeeper.store.tables import (
    AttemptRow,
    AuditRow,
    CallbackRow,
    ChartRow,
    EventRow,
    FeedHeadRow,
    MinuteRow,
    SessionRow,
    TransitionRow,
    UptimeRow,
    table,
)

CHUNK: Final = 10_000
_MINUTES: Final = 24 * 60


@dataclass(slots=True)
class Feed:
    """The feed's head as it grows: every step gets its place, and every session is counted by its state."""

    position: int = 0
    ends: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def steps(self, story: Story) -> Iterator[dict[str, Any]]:
        for row in tell.step_rows(story):
            self.position += 1
            self.ends += row["terminal"]
            yield row | {"position": self.position, "ends": self.ends}
        if story.begun:
            self.states[story.state] += 1

    def head(self) -> dict[str, Any]:
        return {"position": self.position, "ends": self.ends, "states": dict(self.states)}


def fill(path: Path, count: int, until: datetime, on_progress: Callable[[int], None] = lambda _done: None) -> None:
    """Make a store there, of the schema of this program, with so many sessions."""
    uvloop.run(_migrate(path))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for pragma in ("synchronous=OFF", "cache_size=-4000000", "temp_store=MEMORY"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        with _without_indexes(connection):
            _fill(connection, Crowd(count, cut(until)), on_progress)
    engine.dispose()


def is_store(path: Path) -> bool:
    """Whether a store of this program's schema is there."""
    if not path.exists():
        return False
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return found == (schema.head(),)


async def _migrate(path: Path) -> None:
    database = Database.open(f"sqlite:///{path}")
    await schema.upgrade(database)
    await database.close()


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Within it there are no indexes but those of primary keys; they are made anew, sorted, in the end."""
    of = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = connection.exec_driver_sql(of).all()
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _, statement in indexes:
        connection.exec_driver_sql(statement)


def _fill(connection: Connection, crowd: Crowd, on_progress: Callable[[int], None]) -> None:
    feed, acts, stories, done = Feed(), Acts(), crowd.stories(), 0
    while chunk := list(islice(stories, CHUNK)):
        insert(connection, table(SessionRow), [tell.session_row(story) for story in chunk])
        insert(connection, table(EventRow), [row for story in chunk for row in tell.event_rows(story)])
        insert(connection, table(TransitionRow), [row for story in chunk for row in feed.steps(story)])
        insert(connection, table(CallbackRow), [row for story in chunk for row in tell.callback_rows(story)])
        insert(connection, table(AttemptRow), [row for story in chunk for row in tell.attempt_rows(story)])
        if told := [row for story in chunk for row in acts.rows(story)]:
            connection.execute(table(AuditRow).insert(), told)
        done += len(chunk)
        on_progress(done)
    connection.execute(table(FeedHeadRow).update(), feed.head())
    _round_off(connection, crowd.until)


def _round_off(connection: Connection, until: datetime) -> None:
    """What stands once in a store: its chart, its pulse, and the last day by the minute."""
    chart = {"chart_id": CHART.id, "version": CHART.version, "document": CHART.canonical}
    insert(connection, table(ChartRow), [chart | {"first_used_at": until - YEAR}])
    pulse = {"uptime_id": 1, "up_since": until - YEAR, "last_tick": until}
    connection.execute(table(UptimeRow).insert(), pulse)
    connection.execute(table(MinuteRow).insert(), list(_minutes(until.replace(second=0, microsecond=0))))


def _minutes(last: datetime) -> Iterator[dict[str, Any]]:
    draw = random.Random(SEED)
    for ago in range(_MINUTES):
        taken = {"applied": draw.randint(20, 60), "held": draw.randint(0, 3), "duplicate": draw.randint(0, 4)}
        answers = [0, draw.randint(10, 50), 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0]
        row = {"minute": last - timedelta(minutes=ago), "node": "bench:1", "events": taken}
        yield row | {"refusals": {"expired": draw.randint(0, 1)}, "latencies": answers}
