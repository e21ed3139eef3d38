"""Notices into the outbox, in the transaction of what they tell of; written twice, they are there once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from statekeeper.core.notices import Notice, messages_due
from statekeeper.core.subscribers import Subscriber
from statekeeper.store.rows import notice_row
from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import CallbackRow, table

_callbacks: Final = table(CallbackRow)


def post(
    connection: Connection, notice: Notice, subscribers: Iterable[Subscriber], due_at: datetime, now: datetime
) -> int:
    """Owe the notice to each subscriber that asks for it; returns to how many."""
    rows = [notice_row(each, due_at, now) for each in messages_due(notice, subscribers)]
    insert_missing(connection, _callbacks, rows)
    return len(rows)
