"""The feed: every step of every session, in one total order without a gap.

A step's position is given at the very end of its transaction, under the lock of one row, which is held until the
commit. So positions are committed in their order, on PostgreSQL too, where the ids of a sequence are not: whoever has
seen a position has seen all before it. Nothing else is locked behind that row, so that it can close no circle.
"""

from collections.abc import Sequence
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
    last = counted(connection, _heads, "position", {"feed_id": 1}, len(steps))
    first = last - len(steps) + 1
    insert(connection, _transitions, [row | {"position": first + number} for number, row in enumerate(steps)])
