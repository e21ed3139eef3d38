"""Verified webhooks that were no events: a bounded ring, kept so that the operator can see what the sender changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from statekeeper.core.arrivals import SigningKey
from statekeeper.core.errors import Fault
from statekeeper.store.tables import RefusalRow, table

KEPT: Final = 1000
_refusals: Final = table(RefusalRow)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was wrong with a verified webhook, and its proof."""

    faults: tuple[Fault, ...]
    token: str
    key: SigningKey


def keep_refusal(connection: Connection, refusal: Refusal, now: datetime) -> None:
    """Add one; only the newest thousand stay."""
    faults = [{"field": fault.field, "detail": fault.detail} for fault in refusal.faults]
    row = {"at": now, "faults": faults, "token": refusal.token, "key_thumbprint": refusal.key.thumbprint}
    connection.execute(insert(_refusals), row)
    newest = select(_refusals.c.refusal_id).order_by(_refusals.c.refusal_id.desc()).limit(KEPT)
    connection.execute(delete(_refusals).where(_refusals.c.refusal_id.not_in(newest)))
