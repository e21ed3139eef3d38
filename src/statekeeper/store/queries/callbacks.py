"""Callbacks of all sessions, each with its attempts."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select

from statekeeper.store import projections as show
from statekeeper.store import waiting
from statekeeper.store.pages import DEFAULT_LIMIT, Walk
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import AttemptRow, CallbackRow, table
from statekeeper.store.views import CallbackPage
from statekeeper.store.waiting import Owed

_callbacks: Final = table(CallbackRow)
_attempts: Final = table(AttemptRow)
_WALK: Final = Walk(show.CALLBACK, _callbacks.c.created_at, _callbacks.c.callback_id)


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Which callbacks to list; what is not given fits all. `due_by` is inclusive, and only what is pending is due."""

    statuses: tuple[str, ...] = ()
    subscriber: str | None = None
    due_by: datetime | None = None

    @property
    def index(self) -> str:
        """Each of a subscriber's statuses is a stretch of one index, and each status a stretch of another."""
        return "ix_callbacks_status" if self.subscriber is None else "ix_callbacks_subscriber"

    def wanted_statuses(self) -> list[str]:
        """Each once; what is due is looked for among the pending, since the others are many and never due."""
        asked = dict.fromkeys(self.statuses) or ("pending", "delivered", "dead")
        return [status for status in asked if self.due_by is None or status == "pending"]

    def conditions(self) -> list[ColumnElement[bool]]:
        mine = [] if self.subscriber is None else [_callbacks.c.subscriber == self.subscriber]
        return mine if self.due_by is None else [*mine, _callbacks.c.due_at <= self.due_by]


class Callbacks:
    """Lists many."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, wanted: CallbackFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> CallbackPage:
        """One page of callbacks, the newest first; raises `QueryRefused` for a bad limit or cursor."""
        branches = [_callbacks.c.status == status for status in wanted.wanted_statuses()]
        if not branches:
            return CallbackPage([], None)
        query = replace(_WALK, index=wanted.index).page(wanted.conditions(), branches, limit, cursor)
        return await self._reader.read(_page, query, limit)

    async def owed(self) -> list[Owed]:
        """What every subscriber is owed that was ever owed anything, by their names."""
        return await self._reader.ask(waiting.owed)


def attempts_of(connection: Connection, session_ids: Collection[UUID]) -> show.Attempts:
    """The attempts of all callbacks of these sessions."""
    if not session_ids:
        return {}
    query = select(*show.ATTEMPT).where(_attempts.c.session_id.in_(session_ids)).order_by(_attempts.c.number)
    return show.attempts_by_callback(connection.execute(query))


def _page(connection: Connection, query: Select[Any], limit: int) -> CallbackPage:
    rows = connection.execute(query).all()
    attempts = attempts_of(connection, {row.session_id for row in rows[:limit]})
    items = [show.session_callback_view(row, attempts) for row in rows[:limit]]
    return CallbackPage(items, _WALK.next_cursor(rows, limit))
