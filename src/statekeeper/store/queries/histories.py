"""How a session came to be what it is: its steps, its events, its callbacks.

A history reads several tables and must not see one before a commit and the next behind it: its statements share one
snapshot.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Table, select

from statekeeper.store import projections as show
from statekeeper.store.queries.callbacks import attempts_of
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import CallbackRow, DeliveryRow, EventRow, TransitionRow, table
from statekeeper.store.views import HistoryView

_events: Final = table(EventRow)
_deliveries: Final = table(DeliveryRow)
_transitions: Final = table(TransitionRow)
_callbacks: Final = table(CallbackRow)


class Histories:
    """Tells the history of a session."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def find(self, session_id: UUID) -> HistoryView | None:
        """All that is known of one session, or None if it is unknown."""
        return await self._reader.read(_history, session_id)


def _history(connection: Connection, session_id: UUID) -> HistoryView | None:
    """An event comes with every session, so that one without any is unknown."""

    def rows(of: Table, columns: show.Columns, *order: str) -> Sequence[Any]:
        query = select(*columns).where(of.c.session_id == session_id).order_by(*(of.c[name] for name in order))
        return connection.execute(query).all()

    events = rows(_events, show.EVENT, "arrival")
    if not events:
        return None
    repeats = rows(_deliveries, show.DELIVERY, "arrival")
    transitions = [show.transition_view(row) for row in rows(_transitions, show.TRANSITION, "ordinal")]
    callbacks = rows(_callbacks, show.CALLBACK, "ordinal", "subscriber")
    attempts = attempts_of(connection, {row.session_id for row in callbacks})
    return HistoryView(
        session_id=session_id,
        transitions=transitions,
        events=show.event_views(events, repeats),
        callbacks=[show.callback_view(row, attempts) for row in callbacks],
    )
