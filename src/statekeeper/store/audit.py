"""The audit trail: who did what, when, from where, why, and what it changed.

An entry is written in the transaction of its act: both are on disk, or neither. The database itself refuses to change
or to take away one that is there. Neither secrets nor URLs as they are come into it: it is read by others than those
who may see them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection, insert

from statekeeper.core.acts import Actor, Deed
from statekeeper.core.events import MAX_TEXT
from statekeeper.core.instants import rfc3339
from statekeeper.store.tables import AuditRow, table
from statekeeper.store.views import AuditView

T = TypeVar("T")
_entries: Final = table(AuditRow)
_RECORD: Final = insert(_entries).returning(_entries.c.entry_id)


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be written of an act. `effect` is what it changed, fit for JSON.

    `subject` is the name of what was acted on, where that is no session and no callback.
    """

    deed: Deed
    session_id: UUID | None = None
    callback_id: UUID | None = None
    subject: str | None = None
    reason: str | None = None
    effect: Mapping[str, Any] = field(default_factory=dict)


def record(connection: Connection, actor: Actor, entry: Record, now: datetime) -> int:
    """Append an entry, as a part of the transaction of its act; returns its id, which grows from entry to entry."""
    row = {
        "at": now,
        "actor": actor.name[:MAX_TEXT],
        "role": actor.role,
        "via": actor.via.value,
        "origin": actor.origin and actor.origin[:MAX_TEXT],
        "act": entry.deed.value,
        "session_id": entry.session_id,
        "callback_id": entry.callback_id,
        "subject": entry.subject and entry.subject[:MAX_TEXT],
        "reason": entry.reason,
        "effect": dict(entry.effect),
        "account": actor.account,
    }
    entry_id: int = connection.execute(_RECORD, row).scalar_one()
    return entry_id


def recorded(
    job: Callable[[Connection, datetime], T], actor: Actor, entry: Callable[[T], Record | None]
) -> Callable[[Connection, datetime], T]:
    """The job, and behind it, in its transaction, the entry that is made of its value; None is none worth an entry."""

    def act(connection: Connection, now: datetime) -> T:
        value = job(connection, now)
        if (made := entry(value)) is not None:
            record(connection, actor, made, now)
        return value

    return act


def shown(actor: Actor, entry_id: int, entry: Record, now: datetime) -> AuditView:
    """An entry just written, as whoever lists it finds it."""
    return AuditView(
        entry_id=str(entry_id),
        at=rfc3339(now),
        actor=actor.name[:MAX_TEXT],
        role=actor.role,
        via=actor.via.value,
        origin=actor.origin and actor.origin[:MAX_TEXT],
        act=entry.deed.value,
        session_id=entry.session_id,
        callback_id=entry.callback_id,
        subject=entry.subject,
        reason=entry.reason,
        effect=dict(entry.effect),
        account=dict(actor.account) if actor.account else None,
    )
