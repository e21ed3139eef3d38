"""The feed: every step of every session, in one total order without a gap.

A step's position is given at the very end of its transaction, under the lock of one row, which is held until the
commit. So positions are committed in their order, on PostgreSQL too, where the ids of a sequence are not: whoever has
seen a position has seen all before it. Nothing else is locked behind that row, so that it can close no circle.

Under the same lock the sessions are counted by their state, so that nobody who asks has to count them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from statekeeper.store.rows import Row
from statekeeper.store.statements import counted, insert
from statekeeper.store.tables import FeedHeadRow, TransitionRow, table

_heads: Final = table(FeedHeadRow)
_transitions: Final = table(TransitionRow)


def append(connection: Connection, steps: Sequence[Row]) -> None:
    """Put the steps of a transaction into the feed; the last that it does."""
    if not steps:
        return
    found = [int(row["terminal"]) for row in steps]
    last, ends = counted(connection, _heads, {"feed_id": 1}, {"position": len(steps), "ends": sum(found)})
    first, before = last - len(steps) + 1, ends - sum(found)
    numbered = enumerate(zip(steps, accumulate(found), strict=True), first)
    insert(connection, _transitions, [row | {"position": at, "ends": before + count} for at, (row, count) in numbered])
    _count(connection, steps)


def moves(steps: Sequence[Row]) -> Mapping[str, int]:
    """By how many these steps change the number of sessions in each state; what begins was in none that is counted."""
    moved = Counter(row["target"] for row in steps)
    moved.subtract(row["source"] for row in steps if row["ordinal"] > 1)
    return {state: number for state, number in moved.items() if number}


def _count(connection: Connection, steps: Sequence[Row]) -> None:
    if moved := moves(steps):
        states: dict[str, Any] = connection.execute(_STATES).scalar_one()
        now = states | {state: states.get(state, 0) + number for state, number in moved.items()}
        connection.execute(_COUNT, {"now": now})


_STATES: Final = select(_heads.c.states)
_COUNT: Final = update(_heads).values(states=bindparam("now", type_=_heads.c.states.type))
