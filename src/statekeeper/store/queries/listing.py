"""Sessions as support looks for them: the newest first, by when they were first seen.

That time never changes, so that no row moves while somebody pages: a walk shows every session that was there when it
began exactly once, whatever comes in meanwhile. First the keys of a page are found, along an index that has all it
needs, and only then the rows are read that are shown.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, literal_column, select

from statekeeper.core.resequencer import missing
from statekeeper.store.narrowing import ListingFilter, narrow, origins
from statekeeper.store.pages import DEFAULT_LIMIT, Walk, read_cursor
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import CallbackRow, SessionRow, table

__all__ = ["Choices", "Listing", "ListingFilter", "Listings", "SessionLine"]

_sessions: Final = table(SessionRow)
_callbacks: Final = table(CallbackRow)
_KEY: Final = (_sessions.c.first_seen_at, _sessions.c.session_id)
_WALK: Final = Walk(_KEY, *_KEY)


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session in a list; `gap` says that a number is missing or was given up on, `dead` counts dead callbacks."""

    session_id: UUID
    state: str
    environment: str | None
    flow_id: str | None
    first_seen_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    held: list[int]
    missing: list[int]
    gap: bool
    contradicted: bool
    dead: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Some sessions, the newest first; without a cursor there are no more.

    `begins` says that a part of an id was taken as a beginning: an id that merely contains it is not listed.
    """

    items: list[SessionLine]
    next_cursor: str | None
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to filter by, as far as it is few."""

    environments: list[str]
    flows: list[str]


class Listings:
    """Lists sessions by whatever somebody knows of them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, wanted: ListingFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Listing:
        """One page of sessions; raises `QueryRefused` for a bad limit or cursor."""
        return await self._reader.read(_page, wanted, limit, cursor)

    async def choices(self) -> Choices:
        """The environments and the flows that sessions have come from."""
        return Choices(*await self._reader.ask(origins))


def _page(connection: Connection, wanted: ListingFilter, limit: int, cursor: str | None) -> Listing:
    last = None if cursor is None else read_cursor(cursor)[1]
    plan = narrow(connection, wanted, last)
    walk = replace(_WALK, index=plan.index)
    keys = connection.execute(walk.page(plan.conditions, plan.branches, limit, cursor)).all()
    shown = [key.session_id for key in keys[:limit]]
    lines = {row.session_id: _line(row) for row in connection.execute(_SHOWN, {"ids": shown})} if shown else {}
    return Listing([lines[each] for each in shown], walk.next_cursor(keys, limit), plan.begins)


def _line(row: Any) -> SessionLine:  # noqa: ANN401 -- a row has no type
    return SessionLine(
        session_id=row.session_id,
        state=row.state,
        environment=row.environment,
        flow_id=row.flow_id,
        first_seen_at=row.first_seen_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        held=list(row.held),
        missing=missing(row.cursor, row.held),
        gap=bool(row.held) or not row.contiguous,
        contradicted=row.contradicted,
        dead=row.dead,
    )


_NAMES: Final = (
    "session_id state environment flow_id first_seen_at updated_at ended_at held cursor contiguous contradicted"
)
_DEAD: Final = (
    select(func.count())
    .select_from(_callbacks)
    .where(_callbacks.c.session_id == _sessions.c.session_id, _callbacks.c.status == literal_column("'dead'"))
    .correlate(_sessions)
    .scalar_subquery()
    .label("dead")
)
_SHOWN: Final = select(*(_sessions.c[name] for name in _NAMES.split()), _DEAD).where(
    _sessions.c.session_id.in_(bindparam("ids", expanding=True))
)
