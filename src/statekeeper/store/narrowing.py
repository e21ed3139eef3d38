"""How a list of sessions is read, so that a filter which fits almost nothing is as quick as one which fits almost all.

All conditions are always asked; what is chosen here is the index that is walked. What few sessions fit is gone through
as a whole and sorted; that they are few is found out by a count that stops early. An origin is walked flow by flow and
environment by environment, each along its own stretch of one index. Whatever is left is walked by time, along an index
that has all that is filtered by, so that no row is read which is not shown. SQLite keeps no statistics to choose by and
is told the index; PostgreSQL does, and is not.

A part of an id is one more condition: all these indexes have the id, so that a walk soon has a page of those with a
part that is frequent, and reads an index once for one that is rare. Only a long part is looked up, as a beginning.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from operator import eq, ge, lt
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, String, and_, func, literal_column, select, type_coerce

from statekeeper.store.distinct import MOST, distinct
from statekeeper.store.statements import is_postgres
from statekeeper.store.tables import CallbackRow, SessionRow, table
from statekeeper.store.tables.sessions import CONTRADICTED, WITH_GAP

_sessions: Final = table(SessionRow)
_callbacks: Final = table(CallbackRow)
Conditions = tuple[ColumnElement[bool], ...]

FEW: Final = 5_000
FEW_DEAD: Final = 2_000
FEW_IDS: Final = 1_000
LONG: Final = 8
MOST_BRANCHES: Final = 24
_HEXADECIMAL: Final = 32
_BY_ID: Final = "sqlite_autoindex_sessions_1"
_BY_TIME: Final = "ix_sessions_seen"
_GAP: Final[ColumnElement[bool]] = literal_column(f"({WITH_GAP})")
_IS_HELD: Final[ColumnElement[bool]] = _sessions.c.earliest_held_at.is_not(None)
_IS_CONTRADICTED: Final[ColumnElement[bool]] = literal_column(CONTRADICTED)
_DEAD: Final = (
    select(_callbacks.c.session_id)
    .where(_callbacks.c.status == literal_column("'dead'"))
    .with_hint(_callbacks, "INDEXED BY ix_callbacks_dead", "sqlite")
)
_IS_DEAD: Final = _sessions.c.session_id.in_(_DEAD)


@dataclass(frozen=True, slots=True)
class ListingFilter:
    """Which sessions to list; what is not given fits all.

    `part` is four hexadecimal digits or more of an id, in lower case and without dashes, wherever they stand in it. A
    part of eight or more that some id begins with is taken as a beginning: another id contains it by chance alone.
    `since` is inclusive, `until` exclusive; both are about when a session was first seen.
    """

    part: str | None = None
    states: tuple[str, ...] = ()
    environment: str | None = None
    flow_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    gap: bool = False
    held: bool = False
    dead: bool = False
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to walk: the conditions, branches that are each a walk of their own, and the index, by its name.

    `begins` says that a part of an id was taken as its beginning.
    """

    conditions: Conditions
    branches: Conditions = ()
    index: str = _BY_TIME
    begins: bool = False

    def first(self, condition: ColumnElement[bool]) -> Self:
        """With a cheap one before the others: SQLite asks in the order given, and stops at a no."""
        return replace(self, conditions=(condition, *self.conditions))


def narrow(connection: Connection, wanted: ListingFilter, last: UUID | None = None) -> Plan:
    """How to read these, behind the last session of the page before, if there was one."""
    plan, part = Plan(_conditions(wanted)), wanted.part
    if part is not None and _is_beginning(connection, part, last):
        plan = replace(plan.first(_begins(part)), begins=True)
        if _are_few(connection, FEW_IDS, _begins(part)):
            return replace(plan, index=_BY_ID)
    elif part is not None:
        plan = plan.first(_contains(connection, part))
    return _by_rarity(connection, wanted, plan) or _by_origin(connection, wanted, plan)


def _conditions(wanted: ListingFilter) -> Conditions:
    of = _sessions.c
    tests: tuple[tuple[Column[Any], Callable[[Any, Any], ColumnElement[bool]], object], ...] = (
        (of.environment, eq, wanted.environment),
        (of.flow_id, eq, wanted.flow_id),
        (of.first_seen_at, ge, wanted.since),
        (of.first_seen_at, lt, wanted.until),
    )
    marks = (
        (wanted.gap, _GAP),
        (wanted.held, _IS_HELD),
        (wanted.contradicted, _IS_CONTRADICTED),
        (wanted.dead, _IS_DEAD),
    )
    return (
        *((of.state.in_(wanted.states),) if wanted.states else ()),
        *(compare(column, value) for column, compare, value in tests if value is not None),
        *(mark for asked, mark in marks if asked),
    )


def _is_beginning(connection: Connection, part: str, last: UUID | None) -> bool:
    """Whether it is taken as one. A page goes on as the one before, whose last id says how that was, whatever came."""
    if len(part) < LONG:
        return False
    if last is not None:
        return last.hex.startswith(part)
    return not _are_few(connection, 0, _begins(part))


def _begins(part: str) -> ColumnElement[bool]:
    first, last = (UUID(hex=part.ljust(_HEXADECIMAL, each)) for each in "0f")
    return _sessions.c.session_id.between(first, last)


def _contains(connection: Connection, part: str) -> ColumnElement[bool]:
    """By an id's digits: its text on SQLite, while on PostgreSQL its text has dashes, and its bytes have none."""
    if is_postgres(connection):
        return func.strpos(func.encode(func.uuid_send(_sessions.c.session_id), "hex"), part) > 0
    return func.instr(type_coerce(_sessions.c.session_id, String), part) > 0


def _by_rarity(connection: Connection, wanted: ListingFilter, plan: Plan) -> Plan | None:
    """By what is rare in itself; None if nothing is."""
    if wanted.held and _are_few(connection, FEW, _IS_HELD):
        return replace(plan, index="ix_sessions_gap")
    if wanted.contradicted:
        return replace(plan, index="ix_sessions_contradicted")
    if wanted.gap or wanted.held:
        return replace(plan, index="ix_sessions_with_gap")
    if wanted.states and _are_few(connection, FEW, _sessions.c.state.in_(wanted.states)):
        return replace(plan, index="ix_sessions_state")
    if wanted.dead and _are_few(connection, FEW_DEAD, _callbacks.c.status == "dead"):
        return replace(plan, index=_BY_ID)
    return None


def is_rare_origin(connection: Connection, environment: str, flow_id: str | None) -> bool:
    """Whether the sessions of this environment, and of this flow if one is given, are few enough to be sorted."""
    of_flow = () if flow_id is None else (_sessions.c.flow_id == flow_id,)
    return _are_few(connection, FEW, _sessions.c.environment == environment, *of_flow)


def _are_few(connection: Connection, most: int, *where: ColumnElement[bool]) -> bool:
    some = select(literal_column("1")).where(*where).limit(most + 1).subquery()
    number: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return number <= most


def _by_origin(connection: Connection, wanted: ListingFilter, plan: Plan) -> Plan:
    """By each flow of the environment, or each environment of the flow, unless those are many."""
    if wanted.environment is None and wanted.flow_id is None:
        return plan
    environment, flow_id = _sessions.c.environment, _sessions.c.flow_id
    if wanted.environment is None:
        branches = _values(connection, environment, MOST_BRANCHES)
    elif wanted.flow_id is None:
        branches = _values(connection, flow_id, MOST_BRANCHES, environment == wanted.environment)
    else:
        branches = []
    if len(branches) > MOST_BRANCHES:
        return plan
    return replace(plan, branches=tuple(branches), index="ix_sessions_origin")


def _values(
    connection: Connection, column: Column[Any], most: int, *where: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """A condition for each value that the column has, the missing one included."""
    found = distinct(connection, column, *where, most=most)
    return [column.is_(None), *(column == each for each in found)]


def origins(connection: Connection) -> tuple[list[str], list[str]]:
    """The environments and the flows that there are, in their order; the first two hundred of each."""
    environment, flow_id = _sessions.c.environment, _sessions.c.flow_id
    environments = distinct(connection, environment)
    stretches = [environment.is_(None), *(and_(environment == each) for each in environments)]
    flows = {each for of in stretches for each in distinct(connection, flow_id, of)}
    return environments, sorted(flows)[:MOST]
