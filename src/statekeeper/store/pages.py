"""A walk through many rows, newest change first, a page at a time, by keyset and never by offset.

The place in a walk is the key of the last row shown: its time and its id. A row's time only grows when it changes, so
that a row once shown moves to the front, behind the walker's back: none comes twice. A cursor is that key and nothing
else; it is opaque, but holds no secret and needs no memory here.
"""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, literal, select, tuple_, union_all

from statekeeper.core.errors import QueryRefused

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_PLACE: Final = struct.Struct(">q16s")
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)

Place = tuple[datetime, UUID]
Conditions = Sequence[ColumnElement[bool]]


def write_cursor(place: Place) -> str:
    at, key = place
    return base64.urlsafe_b64encode(_PLACE.pack((at - _EPOCH) // _TICK, key.bytes)).decode()


def read_cursor(cursor: str) -> Place:
    """The place that a cursor names; raises `QueryRefused` for what this program never wrote."""
    refused = QueryRefused("cursor", "must be the nextCursor of an earlier page, unchanged")
    if not _CURSOR.fullmatch(cursor):
        raise refused
    ticks, key = _PLACE.unpack(base64.urlsafe_b64decode(cursor))
    try:
        return _EPOCH + ticks * _TICK, UUID(bytes=key)
    except OverflowError as error:
        raise refused from error


@dataclass(frozen=True, slots=True)
class Portion:
    """What came of one page of a walk that does something: how many times, and the place behind it; None at the end."""

    done: int
    place: str | None


def onward(time: Column[Any], key: Column[Any], since: datetime, place: str | None) -> Conditions:
    """From a time on, or behind the place, where the oldest come first.

    The place's time is said on its own as well: SQLite enters an index by one column's bound and not by that of a pair,
    and would read each page from the very beginning.
    """
    if place is None:
        return (time >= since,)
    at, last = read_cursor(place)
    return time >= at, tuple_(time, key) > tuple_(literal(at, time.type), literal(last, key.type))


@dataclass(frozen=True, slots=True)
class Walk:
    """What to walk through: the columns to show, and the two that order the rows, the newest first.

    `index` is the one that SQLite must walk along, by its name; without it, it chooses for itself.
    """

    columns: tuple[Column[Any], ...]
    time: Column[Any]
    key: Column[Any]
    index: str | None = None

    def page(self, conditions: Conditions, branches: Conditions, limit: int, cursor: str | None) -> Select[Any]:
        """The rows behind the cursor that fit all conditions and any branch, and one more, to see if there are more.

        Each branch is a walk of its own along its own index and no longer than the page, so that rows which are rare
        are found without reading those that are not.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise QueryRefused("limit", f"must be an integer from 1 to {MAX_LIMIT}")
        behind = (*conditions, *self._behind(cursor))
        walks = [self._ordered(select(*self.columns).where(*behind, branch), limit) for branch in branches]
        if len(walks) == 1:
            return walks[0]
        if not walks:
            return self._ordered(select(*self.columns).where(*behind), limit)
        rows = union_all(*(select(walk.subquery()) for walk in walks)).subquery()
        return select(rows).order_by(rows.c[self.time.name].desc(), rows.c[self.key.name].desc()).limit(limit + 1)

    def next_cursor(self, rows: Sequence[Any], limit: int) -> str | None:
        """The cursor behind the last row that a page of these rows shows; None where there are no more."""
        if len(rows) <= limit:
            return None
        last = rows[limit - 1]
        return write_cursor((getattr(last, self.time.name), getattr(last, self.key.name)))

    def _ordered(self, rows: Select[Any], limit: int) -> Select[Any]:
        if self.index is not None:
            rows = rows.with_hint(self.time.table, f"INDEXED BY {self.index}", "sqlite")
        return rows.order_by(self.time.desc(), self.key.desc()).limit(limit + 1)

    def _behind(self, cursor: str | None) -> Conditions:
        if cursor is None:
            return ()
        at, key = read_cursor(cursor)
        return (tuple_(self.time, self.key) < tuple_(literal(at, self.time.type), literal(key, self.key.type)),)
