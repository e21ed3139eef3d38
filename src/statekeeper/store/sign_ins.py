"""Who is signed in to the console, on whichever node: a row a person and browser, found by the hash of its cookie.

Whoever could read the table could sign in as nobody: the cookie itself is stored nowhere. A sign-in ends by itself when
it was not seen for a while, and after its lifetime however busy it was; both are judged by the store's time, so that
nodes whose clocks differ agree. What has ended is taken away with the next sign-in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from statekeeper.store.tables import SignInRow, table

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when somebody was seen last: a page that is looked at is no write."""
_sign_ins: Final = table(SignInRow)


@dataclass(frozen=True, slots=True)
class Limits:
    """For how long a sign-in that is not used is good, and one that is."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who has signed in: by which `method`, and for how far.

    `seal` is what only his cookie and what he proved himself by make together; `csrf` is what his forms must say;
    `account` is how his OpenID provider identifies him.
    """

    digest: str
    name: str
    role: str
    method: str
    seal: str
    csrf: str
    account: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A sign-in that is good, and whether it is to be written down that it was seen."""

    sign_in: SignIn
    stale: bool


def add(connection: Connection, sign_in: SignIn, limits: Limits, now: datetime) -> None:
    """Keep a sign-in, and take those away that have ended."""
    connection.execute(delete(_sign_ins).where(_has_ended(limits, now)))
    row = {name: getattr(sign_in, name) for name in SignIn.__slots__}
    connection.execute(insert(_sign_ins).values(row | {"created_at": now, "seen_at": now}))


def find(connection: Connection, digest: str, limits: Limits, now: datetime) -> Found | None:
    """The sign-in of a cookie with this hash, unless it has ended."""
    row: Any = connection.execute(_KEPT.where(_sign_ins.c.digest == digest, _is_good(limits, now))).one_or_none()
    if row is None:
        return None
    sign_in = SignIn(*(getattr(row, name) for name in SignIn.__slots__))
    return Found(sign_in, row.seen_at <= now - min(SEEN_EVERY, limits.idle / 10))


def touch(connection: Connection, digest: str, now: datetime) -> None:
    """Write down that somebody was seen; never backwards, and nothing where the sign-in is gone."""
    seen = update(_sign_ins).where(_sign_ins.c.digest == digest, _sign_ins.c.seen_at < now)
    connection.execute(seen.values(seen_at=now))


def remove(connection: Connection, digest: str) -> None:
    """End a sign-in, if there is one."""
    connection.execute(delete(_sign_ins).where(_sign_ins.c.digest == digest))


def _is_good(limits: Limits, now: datetime) -> ColumnElement[bool]:
    return and_(_sign_ins.c.seen_at > now - limits.idle, _sign_ins.c.created_at > now - limits.lifetime)


def _has_ended(limits: Limits, now: datetime) -> ColumnElement[bool]:
    return or_(_sign_ins.c.seen_at <= now - limits.idle, _sign_ins.c.created_at <= now - limits.lifetime)


_KEPT: Final = select(_sign_ins)
