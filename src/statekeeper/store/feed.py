"""The feed: every step of every session, in one total order without a gap.

A step's position is given at the very end of its transaction, under the lock of one row, which is held until the
commit. So positions are committed in their order, on PostgreSQL too, where the ids of a sequence are not: whoever has
seen a position has seen all before it. Nothing else is locked behind that row, so that it can close no circle.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from sqlalchemy import Connection

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
