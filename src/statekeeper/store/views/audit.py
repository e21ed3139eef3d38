"""What people did."""

from typing import Any
from uuid import UUID

from statekeeper.store.views.base import Instant, View


class AuditView(View, frozen=True):
    """One act: who, in which role, by which door (`console`, `api`, `cli`), from where, why, and what it changed.

    `account` is how their OpenID provider identifies them (`iss`, `sub`), which stays when a name changes. `subject` is
    the name of an endpoint, a subscriber or a consumer. The members of `effect` are the act's own.
    """

    entry_id: str
    at: Instant
    actor: str
    role: str
    via: str
    origin: str | None
    act: str
    session_id: UUID | None
    callback_id: UUID | None
    subject: str | None
    reason: str | None
    effect: dict[str, Any]
    account: dict[str, str] | None


class AuditPage(View, frozen=True):
    """Some entries, the newest first."""

    items: list[AuditView]
    next_cursor: str | None
