"""The audit trail, the newest act first."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select

from statekeeper.core.errors import QueryRefused
from statekeeper.store import projections as show
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import AuditRow, table
from statekeeper.store.views import AuditPage

_entries: Final = table(AuditRow)
_CURSOR: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list; what is not given fits all. `since` is the first moment, `until` the one behind the last.

    The names are those of the columns.
    """

    actor: str | None = None
    act: str | None = None
    session_id: UUID | None = None
    callback_id: UUID | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        names = ("actor", "act", "session_id", "callback_id", "subject")
        asked = {name: getattr(self, name) for name in names}
        found = [_entries.c[name] == value for name, value in asked.items() if value is not None]
        if self.since is not None:
            found.append(_entries.c.at >= self.since)
        if self.until is not None:
            found.append(_entries.c.at < self.until)
        return found


class Audit:
    """Lists what people did. The place in a walk is the id of the last entry shown, and entries never change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, wanted: AuditFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> AuditPage:
        """One page, the newest first; raises `QueryRefused` for a bad limit or cursor."""
        if not 1 <= limit <= MAX_LIMIT:
            raise QueryRefused("limit", f"must be an integer from 1 to {MAX_LIMIT}")
        key = _entries.c.entry_id
        behind = () if cursor is None else (key < _read_cursor(cursor),)
        query = select(*show.AUDIT).where(*wanted.conditions(), *behind).order_by(key.desc()).limit(limit + 1)
        rows = await self._reader.rows(query)
        items = [show.audit_view(row) for row in rows[:limit]]
        return AuditPage(items, items[-1].entry_id if len(rows) > limit else None)


def _read_cursor(cursor: str) -> int:
    if not _CURSOR.fullmatch(cursor):
        raise QueryRefused("cursor", "must be the nextCursor of an earlier page, unchanged")
    return int(cursor)
