"""Who is signed in: told by a cookie of 32 random bytes, which this browser has and nobody else.

All that is known of it is in the store, so that any node may be asked and an end is an end everywhere. A sign-in holds
only as long as what it was made by: with a token that is no longer configured, be it that another one has its name, by
a provider that is no longer asked, or whose claims give other roles now, or as anybody on this machine once the house
is guarded, nobody is signed in any more. A token's role is the one that it has now. What it was made by is kept as a
hash under the cookie, so that whoever could read the table could not even try out tokens.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from statekeeper.api.access import LOCAL, AccessPolicy, AccessToken, Role
from statekeeper.console.visitor import Visitor
from statekeeper.core.errors import Unavailable
from statekeeper.store import sign_ins
from statekeeper.store.database import Database
from statekeeper.store.queries.reader import Reader
from statekeeper.store.sign_ins import Limits, SignIn

Execute = Callable[[Callable[[Connection, datetime], Any]], Awaitable[Any]]


class Method(StrEnum):
    """How somebody proved who they are."""

    LOCAL = "local"
    TOKEN = "token"  # noqa: S105 -- a word, and no secret
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, what they may do, how they proved it, and by what: a token's hash, the trust in a provider.

    `account` is how that provider identifies them.
    """

    name: str
    role: Role
    method: Method
    proof: str = ""
    account: Mapping[str, str] | None = None


ANYBODY_HERE: Final = Identity(LOCAL.name, LOCAL.role, Method.LOCAL)


def bearer(token: AccessToken) -> Identity:
    """Whoever has pasted this token."""
    return Identity(token.name, token.role, Method.TOKEN, token.sha256.lower())


class SignIns:
    """Begins, finds and ends sign-ins. `execute` is the writer's, for what is to be on disk."""

    def __init__(self, database: Database, execute: Execute, limits: Limits, access: AccessPolicy) -> None:
        self._database = database
        self._reader = Reader(database.reader)
        self._execute = execute
        self._limits = limits
        self._access = access

    async def begin(self, identity: Identity, before: str | None = None) -> tuple[str, Visitor]:
        """Sign somebody in: the cookie to give them, always a new one, and the visitor. A sign-in `before` ends."""
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        new = _sign_in(cookie, identity, csrf)

        def replace(connection: Connection, now: datetime) -> None:
            if before:
                sign_ins.remove(connection, _digest(before))
            sign_ins.add(connection, new, self._limits, now)

        await self._execute(replace)
        return cookie, Visitor(identity.name, identity.role, identity.method, csrf, identity.account)

    async def find(self, cookie: str | None, *, seen: bool = True) -> Visitor | None:
        """Whose cookie this is, while it is good, and write down if they were `seen`; raises `Unavailable`."""
        found = await self._look_up(cookie)
        if found is None:
            return None
        if found.stale and seen:
            await self._touch(found.sign_in.digest)
        kept, role = found.sign_in, self._role_of(found.sign_in, cookie)
        return None if role is None else Visitor(kept.name, role, kept.method, kept.csrf, kept.account)

    async def holds(self, cookie: str | None) -> bool:
        """Whether this cookie is good still; nobody is seen by that. Raises `Unavailable`."""
        found = await self._look_up(cookie)
        return found is not None and self._role_of(found.sign_in, cookie) is not None

    async def end(self, cookie: str) -> None:
        """Sign somebody out, on every node at once."""
        await self._execute(lambda connection, _now: sign_ins.remove(connection, _digest(cookie)))

    async def _look_up(self, cookie: str | None) -> sign_ins.Found | None:
        return await self._reader.ask(self._find, _digest(cookie)) if cookie else None

    def _find(self, connection: Connection, digest: str) -> sign_ins.Found | None:
        return sign_ins.find(connection, digest, self._limits, self._database.now(connection))

    async def _touch(self, digest: str) -> None:
        """A page is shown though it cannot be written down that it was."""
        with suppress(Unavailable):
            await self._execute(lambda connection, now: sign_ins.touch(connection, digest, now))

    def _role_of(self, sign_in: SignIn, cookie: str | None) -> Role | None:
        """What a sign-in is good for as the service is set up now."""
        match sign_in.method:
            case Method.LOCAL:
                return None if self._access.guarded else LOCAL.role
            case Method.TOKEN:
                bearers = (bearer(each) for each in self._access.tokens if each.name == sign_in.name)
                return next((each.role for each in bearers if _made_by(each.proof, sign_in, cookie)), None)
        return Role[sign_in.role.upper()] if _made_by(self._access.provider, sign_in, cookie) else None


def _sign_in(cookie: str, identity: Identity, csrf: str) -> SignIn:
    role = identity.role.name.lower()
    seal = _seal(cookie, identity.proof)
    return SignIn(_digest(cookie), identity.name, role, identity.method, seal, csrf, identity.account)


def _made_by(proof: str | None, sign_in: SignIn, cookie: str | None) -> bool:
    """Whether a sign-in was made by this proof, which is still good."""
    if not proof or not cookie:
        return False
    return hmac.compare_digest(_seal(cookie, proof), sign_in.seal)


def _seal(cookie: str, proof: str) -> str:
    return hmac.new(cookie.encode(errors="replace"), proof.encode(), hashlib.sha256).hexdigest()


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()
