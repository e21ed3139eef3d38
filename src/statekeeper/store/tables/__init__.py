"""The tables. Uniqueness is the database's job, in the transaction that writes.

Every primary key of what belongs to a session begins with `session_id`, so that the tables can be sharded by session.
They are ordinary rowid tables on SQLite: long tokens append instead of splitting pages. Times are aware, in UTC, cut to
milliseconds.
"""

from statekeeper.store.tables.base import Table, table
from statekeeper.store.tables.callbacks import AttemptRow, CallbackRow, RecoveryRow
from statekeeper.store.tables.console import AuditRow, SignInRow
from statekeeper.store.tables.endpoints import EndpointRow, HealthRow
from statekeeper.store.tables.feed import FeedConsumerRow, FeedHeadRow
from statekeeper.store.tables.service import ChartRow, KeySetRow, MinuteRow, RefusalRow, SigningKeyRow, UptimeRow
from statekeeper.store.tables.sessions import DeliveryRow, EventRow, SessionRow, TransitionRow

__all__ = [
    "AttemptRow",
    "AuditRow",
    "CallbackRow",
    "ChartRow",
    "DeliveryRow",
    "EndpointRow",
    "EventRow",
    "FeedConsumerRow",
    "FeedHeadRow",
    "HealthRow",
    "KeySetRow",
    "MinuteRow",
    "RecoveryRow",
    "RefusalRow",
    "SessionRow",
    "SignInRow",
    "SigningKeyRow",
    "Table",
    "TransitionRow",
    "UptimeRow",
    "table",
]
