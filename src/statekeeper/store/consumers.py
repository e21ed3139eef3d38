"""Named consumers of the feed: each is a position that is kept here for whoever reads under that name.

To read behind it moves nothing. A consumer acknowledges what it has dealt with by moving its position, so that one that
dies in between reads the same items again: at least once. Whoever shares a name says where it expects to be, so that
two workers cannot undo one another's moves.

How far one is behind is a subtraction, however much that is: a step knows its position, and how many ends there are up
to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, case, delete, func, select

from statekeeper.core.errors import NotFound, PositionMoved, QueryRefused, TooManyConsumers
from statekeeper.core.events import MAX_TEXT, storable
from statekeeper.core.instants import rfc3339
from statekeeper.store.feed_pages import head_of
from statekeeper.store.statements import insert_new, upsert
from statekeeper.store.tables import FeedConsumerRow, FeedHeadRow, TransitionRow, table
from statekeeper.store.views import ConsumerView

MAX_CONSUMERS: Final = 1000
_consumers: Final = table(FeedConsumerRow)
_heads: Final = table(FeedHeadRow)
_steps: Final = table(TransitionRow)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a consumer is to be: behind `position`, or at the head where that is None.

    What is not given stays as it is; a new consumer is of ends only. `expected` is where it must be now.
    """

    name: str
    position: int | None
    terminal: bool | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a consumer is now, and where it was: None if it is new. `changed` says that it is of other steps now."""

    position: int
    terminal: bool
    was: int | None = None
    changed: bool = False

    @property
    def new(self) -> bool:
        return self.was is None

    @property
    def acknowledged(self) -> bool:
        """Whether it has only moved on."""
        return self.was is not None and self.position >= self.was and not self.changed


def consumer_name(text: str) -> str:
    """The text, if a consumer can bear it as its name, which is a part of a path; raises `QueryRefused`."""
    if not storable(text) or "/" in text:
        raise QueryRefused("name", f"must be a text of 1 to {MAX_TEXT} characters, without a slash")
    return text


def place(connection: Connection, placement: Placement, now: datetime) -> Placed:
    """Make or move a consumer. `QueryRefused`, `NotFound`, `PositionMoved`, `TooManyConsumers`."""
    known = connection.execute(_KEPT.where(_consumers.c.name == placement.name).with_for_update()).one_or_none()
    head = head_of(connection)
    position = head if placement.position is None else placement.position
    if position > head:
        raise QueryRefused("position", "is beyond the head of the feed")
    if known is None:
        _admit(connection, placement)
    elif placement.expected not in {None, known.position}:
        raise PositionMoved(placement.name)
    kept = (known.terminal, known.created_at) if known else (True, now)
    terminal = kept[0] if placement.terminal is None else placement.terminal
    row = {
        "name": placement.name,
        "position": position,
        "terminal": terminal,
        "created_at": kept[1],
        "updated_at": now,
    }
    if known is not None:
        upsert(connection, _consumers, [row])
    elif not insert_new(connection, _consumers, row):
        return place(connection, placement, now)  # another node has made it since: a row that is not there locks nobody
    return (
        Placed(position, terminal, known.position, terminal != known.terminal) if known else Placed(position, terminal)
    )


def remove(connection: Connection, name: str) -> None:
    """Forget a consumer; raises `NotFound`."""
    if not connection.execute(delete(_consumers).where(_consumers.c.name == name)).rowcount:
        raise NotFound("consumer", name)


def find(connection: Connection, name: str) -> Any:  # noqa: ANN401 -- a row has no type
    """The `position` of a consumer, and whether it is of `terminal` steps only; raises `NotFound`."""
    row = connection.execute(_KEPT.where(_consumers.c.name == name)).one_or_none()
    if row is None:
        raise NotFound("consumer", name)
    return row


def shown(connection: Connection, now: datetime, name: str | None = None) -> list[ConsumerView]:
    """This consumer, or all by their names, with their lag as of now."""
    query = _SHOWN if name is None else _SHOWN.where(_consumers.c.name == name)
    return [_view(row, now) for row in connection.execute(query.order_by(_consumers.c.name))]


def _admit(connection: Connection, placement: Placement) -> None:
    if placement.expected is not None:
        raise NotFound("consumer", placement.name)
    if connection.execute(select(func.count()).select_from(_consumers)).scalar_one() >= MAX_CONSUMERS:
        raise TooManyConsumers(MAX_CONSUMERS)


def _view(row: Sequence[Any], now: datetime) -> ConsumerView:
    name, position, terminal, created_at, updated_at, lag, waiting_since = row
    behind = max((now - waiting_since).total_seconds(), 0.0) if waiting_since else 0.0
    kind = "terminal" if terminal else "all"
    return ConsumerView(name, str(position), kind, lag, behind, rfc3339(created_at), rfc3339(updated_at))


def _next_at(*conditions: Any) -> Any:  # noqa: ANN401 -- expressions of SQLAlchemy
    """The time of the first step behind a consumer's position that fits."""
    behind: Select[Any] = select(_steps.c.at).where(_steps.c.position > _consumers.c.position, *conditions)
    return behind.order_by(_steps.c.position).limit(1).correlate(_consumers).scalar_subquery()


def _at_head(counter: Any) -> Any:  # noqa: ANN401 -- same
    return func.coalesce(select(func.max(counter)).scalar_subquery(), 0)


_KEPT: Final = select(_consumers)
_ENDS_UP_TO: Final = select(_steps.c.ends).where(_steps.c.position == _consumers.c.position).correlate(_consumers)
_ENDS_BEHIND: Final = _at_head(_heads.c.ends) - func.coalesce(_ENDS_UP_TO.scalar_subquery(), 0)
_STEPS_BEHIND: Final = _at_head(_heads.c.position) - _consumers.c.position
_SHOWN: Final = select(
    _consumers.c.name,
    _consumers.c.position,
    _consumers.c.terminal,
    _consumers.c.created_at,
    _consumers.c.updated_at,
    case((_consumers.c.terminal, _ENDS_BEHIND), else_=_STEPS_BEHIND),
    case((_consumers.c.terminal, _next_at(_steps.c.terminal)), else_=_next_at()),
)
