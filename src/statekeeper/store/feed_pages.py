"""The feed as it is read: a page of steps behind a position, and never a step beyond the head that was read first.

Positions become visible in their order, so that all up to the head are there once the head has been seen. An item shows
only what no longer changes: of a step that is not terminal what is its own; of a terminal one its session's certificate
as well, since a session's row says the same for ever once it has ended.

A filter that few steps fit is asked over a stretch of the feed at a time, so that no statement reads all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, select

from statekeeper.core.errors import QueryRefused
from statekeeper.core.instants import rfc3339
from statekeeper.core.machine import Cause
from statekeeper.store.tables import FeedHeadRow, SessionRow, TransitionRow, table
from statekeeper.store.views import FeedItem, LastStepView

MAX_ITEMS: Final = 1000
DEFAULT_ITEMS: Final = 100
STRETCH: Final = 10_000
_heads: Final = table(FeedHeadRow)
_steps: Final = table(TransitionRow)
_sessions: Final = table(SessionRow)


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Which steps to read; what is not given fits all.

    Where a session comes from may become known after a step, so that only ends can be told apart by it.
    """

    terminal: bool = True
    states: tuple[str, ...] = ()
    environment: str | None = None
    flow_id: str | None = None

    @property
    def sparse(self) -> bool:
        return bool(self.states) or self.environment is not None or self.flow_id is not None

    def apply(self, query: Select[Any]) -> Select[Any]:
        if self.terminal:
            query = query.where(_steps.c.terminal)
        if self.states:
            query = query.where(_steps.c.target.in_(self.states))
        if self.environment is not None:
            query = query.where(_sessions.c.decided_environment == self.environment)
        if self.flow_id is not None:
            query = query.where(_sessions.c.decided_flow_id == self.flow_id)
        return query


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a read found: items, how far it has looked, and where the feed's head was."""

    items: list[FeedItem]
    cursor: int
    head: int


def head_of(connection: Connection) -> int:
    """The position of the newest step; 0 before the first."""
    return connection.execute(select(_heads.c.position)).scalar() or 0


def read_stretch(connection: Connection, after: int, wanted: FeedFilter, limit: int) -> Stretch:
    """Up to `limit` items behind a position; raises `QueryRefused` for one that the feed has not reached."""
    head = head_of(connection)
    if after > head:
        raise QueryRefused("after", "is beyond the head of the feed: it is no position of this store")
    end = min(head, after + STRETCH) if wanted.sparse else head
    query = _ITEMS.where(_steps.c.position > after, _steps.c.position <= end).order_by(_steps.c.position)
    rows = connection.execute(wanted.apply(query).limit(limit)).all() if after < end else []
    items = [_item(row) for row in rows]
    return Stretch(items, int(items[-1].position) if len(items) == limit else end, head)


def read_sessions(connection: Connection, after: int, until: int) -> Sequence[UUID]:
    """The sessions whose steps are behind the one position, up to and with the other."""
    moved = select(_steps.c.session_id).distinct().where(_steps.c.position > after, _steps.c.position <= until)
    return connection.execute(moved).scalars().all()


def read_session(connection: Connection, session_id: UUID, ordinal: int) -> list[FeedItem] | None:
    """The steps of one session behind an ordinal, in their order; None if the session is unknown."""
    query = _ITEMS.where(_steps.c.session_id == session_id, _steps.c.ordinal > ordinal).order_by(_steps.c.ordinal)
    items = [_item(row) for row in connection.execute(query)]
    if items or connection.execute(_KNOWN.where(_sessions.c.session_id == session_id)).one_or_none():
        return items
    return None


def _item(row: Sequence[Any]) -> FeedItem:
    position, session_id, ordinal, state, source, trigger, cause, event_id, sequence, at, terminal, *session = row
    borne = cause == Cause.EVENT
    return FeedItem(
        type=f"session.{state}",
        position=str(position),
        session_id=session_id,
        ordinal=ordinal,
        state=state,
        source=source,
        trigger=trigger,
        cause=cause,
        event_id=event_id if borne else None,
        sequence=sequence if borne else None,
        at=rfc3339(at),
        terminal=terminal,
        **(_certificate(session) if terminal else {}),
    )


def _certificate(session: Sequence[Any]) -> dict[str, Any]:
    flow_id, environment, ended_at, applied, contiguous, inferred, given_up, *step = session
    return {
        "flow_id": flow_id,
        "environment": environment,
        "ended_at": rfc3339(ended_at),
        "last_step": LastStepView(*step) if any(member is not None for member in step) else None,
        "sequences": applied,
        "contiguous": contiguous,
        "inferred": inferred or [],
        "given_up": given_up or [],
    }


_KNOWN: Final = select(_sessions.c.session_id)
_ITEMS: Final = select(
    *(_steps.c[name] for name in ["position", "session_id", "ordinal", "target", "source", "trigger", "cause"]),
    *(_steps.c[name] for name in ["event_id", "sequence", "at", "terminal"]),
    *(_sessions.c[name] for name in ["decided_flow_id", "decided_environment", "ended_at", "applied", "contiguous"]),
    *(_sessions.c[name] for name in ["inferred", "given_up", "last_step_id", "last_step_type", "last_step_status"]),
).join_from(_steps, _sessions, _steps.c.session_id == _sessions.c.session_id)
