"""What people do: the audit trail of their acts, and who is signed in to the console."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text, text
from sqlmodel import Field

from statekeeper.store.tables.base import Table, short

_OF_A_SESSION: Final = text("session_id IS NOT NULL")
_ACCOUNT: Final = JSON(none_as_null=True)
_COUNTING: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts an INTEGER key by itself, no other


class AuditRow(Table, table=True):
    """One act of a person: who, when, from where, why, and what it changed. No row is ever changed or deleted.

    `subject` is what was acted on where that is no session and no callback: an endpoint's or a consumer's name.
    `account` is the actor's at their OpenID provider, as `iss` and `sub`; None for whoever came by another way.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(
            "ix_audit_entries_session",
            "session_id",
            "entry_id",
            sqlite_where=_OF_A_SESSION,
            postgresql_where=_OF_A_SESSION,
        ),
    )

    entry_id: int | None = Field(default=None, primary_key=True, sa_type=_COUNTING)
    at: datetime
    actor: str = short(nullable=False)
    role: str = Field(sa_type=String(16))
    via: str = Field(sa_type=String(16))
    origin: str | None = short()
    act: str = Field(sa_type=String(32))
    session_id: UUID | None = None
    callback_id: UUID | None = None
    subject: str | None = short()
    reason: str | None = Field(default=None, sa_type=Text)
    effect: dict[str, Any] = Field(default_factory=dict, sa_type=JSON, nullable=False)
    account: dict[str, str] | None = Field(default=None, sa_type=_ACCOUNT)


class SignInRow(Table, table=True):
    """Somebody signed in to the console; `digest` is the SHA-256 of the cookie, which is stored nowhere.

    `seal` ties it to what it was made by, a token or a provider: a hash that takes the cookie to make.
    """

    __tablename__ = "sign_ins"

    digest: str = Field(sa_type=String(64), primary_key=True)
    name: str = short(nullable=False)
    role: str = Field(sa_type=String(16))
    method: str = Field(sa_type=String(16))
    seal: str = Field(sa_type=String(64))
    csrf: str = Field(sa_type=String(64))
    created_at: datetime
    seen_at: datetime
    account: dict[str, str] | None = Field(default=None, sa_type=_ACCOUNT)
