"""The read side: from rows straight to views, on connections of its own that never wait for the writer.

`session` is asked most, and answered by one compiled statement. `history` reads several tables and must not see one
before a commit and the next behind it: its statements share one snapshot. Whatever fails because the store is away
comes out as `Unavailable`.
"""

import math
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import eq, gt, lt
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from statekeeper.core.errors import AlreadyDelivered, NotFound
from statekeeper.core.health import State
from statekeeper.core.recovery import Recovery
from statekeeper.store import consumers, feed_pages, health
from statekeeper.store import projections as show
from statekeeper.store import recovery as recoveries
from statekeeper.store.database import as_unavailable
from statekeeper.store.feed_pages import DEFAULT_ITEMS, FeedFilter
from statekeeper.store.lookup import Lookup
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT, Walk, write_cursor
from statekeeper.store.tables import (
    AttemptRow,
    CallbackRow,
    DeliveryRow,
    EventRow,
    RecoveryRow,
    RefusalRow,
    SessionRow,
    TransitionRow,
    table,
)
from statekeeper.store.views import (
    CallbackPage,
    ConsumerList,
    ConsumerView,
    FeedItem,
    FeedPage,
    HistoryView,
    RecoveryPage,
    RecoveryView,
    RefusalView,
    RetryPlanView,
    SessionPage,
    SessionView,
)

T = TypeVar("T")
_sessions: Final = table(SessionRow)
_events: Final = table(EventRow)
_deliveries: Final = table(DeliveryRow)
_transitions: Final = table(TransitionRow)
_callbacks: Final = table(CallbackRow)
_attempts: Final = table(AttemptRow)
_refusals: Final = table(RefusalRow)
_recoveries: Final = table(RecoveryRow)
_SESSION_WALK: Final = Walk(show.SESSION, _sessions.c.updated_at, _sessions.c.session_id)
_CALLBACK_WALK: Final = Walk(show.CALLBACK, _callbacks.c.created_at, _callbacks.c.callback_id)
_RECOVERY_WALK: Final = Walk(show.RECOVERY, _recoveries.c.created_at, _recoveries.c.recovery_id)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions to list; what is not given fits all. Both times are exclusive."""

    states: tuple[str, ...] = ()
    terminal: bool | None = None
    environment: str | None = None
    flow_id: str | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        tests: tuple[tuple[Column[Any], Callable[[Any, Any], ColumnElement[bool]], object], ...] = (
            (_sessions.c.terminal, eq, self.terminal),
            (_sessions.c.environment, eq, self.environment),
            (_sessions.c.flow_id, eq, self.flow_id),
            (_sessions.c.updated_at, gt, self.updated_after),
            (_sessions.c.updated_at, lt, self.updated_before),
        )
        return [compare(column, wanted) for column, compare, wanted in tests if wanted is not None]


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Which callbacks to list; what is not given fits all."""

    statuses: tuple[str, ...] = ()
    subscriber: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        return [] if self.subscriber is None else [_callbacks.c.subscriber == self.subscriber]


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


class Queries:
    """What may be asked of a store. `clock` tells the time that ages are measured from."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        sqlite = engine.dialect.name == "sqlite"
        self._snapshots = engine if sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._session = Lookup(engine, select(*show.SESSION).where(_sessions.c.session_id == bindparam("key")))

    async def session(self, session_id: UUID) -> SessionView | None:
        async with _connected(self._engine) as connection:
            row = await self._session.find(connection, session_id)
        return show.session_view(row) if row else None

    async def history(self, session_id: UUID) -> HistoryView | None:
        async with _connected(self._snapshots) as connection:
            return await connection.run_sync(_history, session_id)

    async def search(self, wanted: SessionFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> SessionPage:
        """One page of sessions, the newest change first; raises `QueryRefused` for a bad limit or cursor."""
        branches = [_sessions.c.state == state for state in dict.fromkeys(wanted.states)]
        query = _SESSION_WALK.page(wanted.conditions(), branches, limit, cursor)
        async with _connected(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        items = [show.session_view(row) for row in rows[:limit]]
        return SessionPage(items, _next(rows, limit, "updated_at", "session_id"))

    async def callbacks(
        self, wanted: CallbackFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> CallbackPage:
        """One page of callbacks, the newest first; raises `QueryRefused` for a bad limit or cursor."""
        statuses = dict.fromkeys(wanted.statuses) or ("pending", "delivered", "dead")
        branches = [_callbacks.c.status == status for status in statuses]
        query = _CALLBACK_WALK.page(wanted.conditions(), branches, limit, cursor)
        async with _connected(self._snapshots) as connection:
            rows = (await connection.execute(query)).all()
            attempts = await connection.run_sync(_attempts_of, {row.session_id for row in rows[:limit]})
        items = [show.session_callback_view(row, attempts) for row in rows[:limit]]
        return CallbackPage(items, _next(rows, limit, "created_at", "callback_id"))

    async def retry_plan(self, callback_id: UUID) -> RetryPlanView:
        """What a retry would begin from; raises `NotFound` or `AlreadyDelivered`, as the retry itself would."""
        query = select(*show.RETRY_PLAN).where(_callbacks.c.callback_id == callback_id)
        async with _connected(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("callback", callback_id)
        if row.status == "delivered":
            raise AlreadyDelivered(callback_id)
        return show.retry_plan_view(row)

    async def recovery_total(self, recovery: Recovery) -> int:
        """How many callbacks a recovery comes to as things stand."""
        async with _connected(self._engine) as connection:
            return await connection.run_sync(recoveries.plan, recovery)

    async def recovery(self, recovery_id: UUID) -> RecoveryView:
        """One recovery, and how far it is; raises `NotFound`."""
        query = select(*show.RECOVERY).where(_recoveries.c.recovery_id == recovery_id)
        async with _connected(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("recovery", recovery_id)
        return show.recovery_view(row)

    async def recoveries(self, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> RecoveryPage:
        """One page of recoveries, the newest first; raises `QueryRefused` for a bad limit or cursor."""
        query = _RECOVERY_WALK.page((), (), limit, cursor)
        async with _connected(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        items = [show.recovery_view(row) for row in rows[:limit]]
        return RecoveryPage(items, _next(rows, limit, "created_at", "recovery_id"))

    async def unfinished_recoveries(self) -> list[tuple[UUID, str]]:
        """Those that are to be worked off, each with its subscriber; the eldest first."""
        async with _connected(self._engine) as connection:
            return await connection.run_sync(recoveries.unfinished)

    async def refusals(self, limit: int = MAX_LIMIT) -> list[RefusalView]:
        """The newest verified webhooks that were no events."""
        query = select(*show.REFUSAL).order_by(_refusals.c.refusal_id.desc()).limit(limit)
        async with _connected(self._engine) as connection:
            return [show.refusal_view(row) for row in await connection.execute(query)]

    async def feed(
        self, after: int, wanted: FeedFilter, limit: int = DEFAULT_ITEMS, most: float = math.inf
    ) -> FeedPage:
        """One page of the feed. Raises `QueryRefused` beyond the head.

        It is empty only where there is nothing more for now, or where `most` steps or more have been passed over. That
        is done a stretch at a time, and nobody's connection is kept for all of it.
        """
        last = after + most
        while True:
            async with _connected(self._engine) as connection:
                found = await connection.run_sync(feed_pages.read_stretch, after, wanted, limit)
            after = found.cursor
            if found.items or after >= min(found.head, last):
                return FeedPage(found.items, str(after))

    async def feed_head(self) -> int:
        """The position of the newest step."""
        async with _connected(self._engine) as connection:
            return await connection.run_sync(feed_pages.head_of)

    async def session_feed(self, session_id: UUID, ordinal: int = 0) -> list[FeedItem] | None:
        """The steps of a session behind an ordinal; None if it is unknown."""
        async with _connected(self._engine) as connection:
            return await connection.run_sync(feed_pages.read_session, session_id, ordinal)

    async def consumer_position(self, name: str) -> tuple[int, bool]:
        """Where a consumer of the feed is, and whether it is of ends only; raises `NotFound`."""
        async with _connected(self._engine) as connection:
            row = await connection.run_sync(consumers.find, name)
        return row.position, row.terminal

    async def consumer(self, name: str) -> ConsumerView:
        """A consumer of the feed with its lag; raises `NotFound`."""
        async with _connected(self._engine) as connection:
            found = await connection.run_sync(consumers.shown, self._clock(), name)
        if not found:
            raise NotFound("consumer", name)
        return found[0]

    async def consumers(self) -> ConsumerList:
        """All consumers of the feed by their names, and its head."""
        async with _connected(self._snapshots) as connection:
            head = await connection.run_sync(feed_pages.head_of)
            return ConsumerList(await connection.run_sync(consumers.shown, self._clock()), str(head))

    async def gauges(self) -> Gauges:
        """What the store has waiting now."""
        async with _connected(self._snapshots) as connection:
            held, gap, due, counts = await connection.run_sync(_waiting)
            healths = await connection.run_sync(health.read_all)
        now = self._clock()
        numbers = {status: {key: count for key, of, count in counts if of == status} for status in ("pending", "dead")}
        circuits = {name: each.state for name, each in healths.items()}
        return Gauges(held, _age(gap, now), _age(due, now), numbers["pending"], numbers["dead"], circuits)

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask several things as of one moment; raises `Unavailable`."""
        async with _connected(self._snapshots) as connection:
            return await connection.run_sync(question)

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers from its tables."""
        async with _connected(self._engine) as connection:
            await connection.execute(select(_sessions.c.session_id).limit(1))


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        if (unavailable := as_unavailable(error)) is None:
            raise
        raise unavailable from error


def _history(connection: Connection, session_id: UUID) -> HistoryView | None:
    """An event comes with every session, so that one without any is unknown."""

    def rows(of: Table, columns: show.Columns, *order: str) -> list[Any]:
        query = select(*columns).where(of.c.session_id == session_id).order_by(*(of.c[name] for name in order))
        return list(connection.execute(query).all())

    events = rows(_events, show.EVENT, "arrival")
    if not events:
        return None
    repeats = rows(_deliveries, show.DELIVERY, "arrival")
    transitions = [show.transition_view(row) for row in rows(_transitions, show.TRANSITION, "ordinal")]
    callbacks = rows(_callbacks, show.CALLBACK, "ordinal", "subscriber")
    attempts = _attempts_of(connection, {row.session_id for row in callbacks})
    return HistoryView(
        session_id=session_id,
        transitions=transitions,
        events=show.event_views(events, repeats),
        callbacks=[show.callback_view(row, attempts) for row in callbacks],
    )


def _attempts_of(connection: Connection, session_ids: Collection[UUID]) -> show.Attempts:
    if not session_ids:
        return {}
    query = select(*show.ATTEMPT).where(_attempts.c.session_id.in_(session_ids)).order_by(_attempts.c.number)
    return show.attempts_by_callback(connection.execute(query))


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


def _next(rows: Any, limit: int, time: str, key: str) -> str | None:  # noqa: ANN401 -- a list of rows has no type
    """The cursor behind the last row shown, or None where there are no more."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return write_cursor((getattr(last, time), getattr(last, key)))
