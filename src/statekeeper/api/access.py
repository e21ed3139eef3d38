"""Who may ask: the door in front of the router, closed to all but what is listed as open.

With tokens, or a provider to sign in by, whoever asks must bear a token. Without either, only this machine is served: a
Host that is no loopback (a page that had its name rebound, a port that was forwarded), the trace of a proxy, or an act
that a page of somebody else began in a browser of this machine is refused. The webhook proves itself, and
the health of a process is no secret.

The console has a guard of its own, behind this door, since people come there with a cookie: where the house is guarded,
the door leaves the console to it.

The door stands before the routing, so that an unknown path says no more than a known one.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils import normalize_path

from statekeeper.api.problems import Kind, Problem
from statekeeper.api.provenance import SAFE, is_foreign
from statekeeper.core.loopback import is_loopback

WEBHOOK: Final = "/webhooks/idnow"
CONSOLE: Final = "/console"
_BEARER: Final = re.compile(rb"bearer +([\x21-\x7e]+) *", re.IGNORECASE)
_PROXIED: Final = re.compile(rb"forwarded|x-forwarded-.*|via")
log = structlog.get_logger()

Headers = list[tuple[bytes, bytes]]


class Role(IntEnum):
    """What a token is good for; each includes those before it."""

    READER = 1
    SUPPORT = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token that is accepted: its name for the log, its SHA-256 in hexadecimal, and what it is good for."""

    name: str
    sha256: str
    role: Role


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    role: Role


LOCAL: Final = Caller("local", Role.ADMIN)
ANYBODY: Final = Caller("anybody", Role.READER)
NOT_LOCAL: Final = Problem(
    Kind.named(403, "Not local"),
    "No token is configured, so that only this machine is served: use a loopback Host and no proxy, or set [[tokens]].",
)
FOREIGN: Final = Problem(
    Kind.named(403, "Foreign page"),
    "A page of another origin has sent this: what changes something is taken from the service's own pages only.",
)
TOKEN_NEEDED: Final = Problem(
    Kind.named(401, "Token needed"), "Send `Authorization: Bearer` with a token that is configured here."
)
_ACTS_OF_SUPPORT: Final = re.compile(  # whatever else changes something takes an admin
    "/v1/callbacks/.*|/v1/sessions/[^/]+/(close-gap|notes)|/v1/endpoints/[^/]+/(recover|backfill)|/v1/feed/consumers/.*",
    re.DOTALL,
)
_READ_BY_SUPPORT: Final = "/v1/audit"  # what people wrote there may name customers


def role_needed(path: str, method: str) -> Role:
    """What a token must be good for, to ask this."""
    if method in SAFE:
        return Role.SUPPORT if path == _READ_BY_SUPPORT else Role.READER
    return Role.SUPPORT if _ACTS_OF_SUPPORT.fullmatch(path) else Role.ADMIN


def role_too_low(needed: Role) -> Problem:
    return Problem(Kind.named(403, "Role too low"), f"This takes a token of the role `{needed.name.lower()}`.")


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Who is let in to what. Without tokens and without a `provider` to sign in by, whoever is on this machine.

    The provider is told by its issuer, and by what its claims are taken for.
    """

    tokens: tuple[AccessToken, ...] = ()
    provider: str | None = None

    @property
    def guarded(self) -> bool:
        """Whether whoever asks must say who he is."""
        return bool(self.tokens or self.provider)

    def judge(self, path: str, method: str, headers: Headers) -> Caller | Problem:
        """The caller if this request may pass, or why it may not."""
        if path == WEBHOOK or is_under(path, "/health"):
            return ANYBODY
        if not self.guarded:
            return _judge_locally(method, headers)
        if is_under(path, "/docs") or is_under(path, CONSOLE):
            return ANYBODY
        caller = self._bearer(headers)
        if caller is None:
            return TOKEN_NEEDED
        needed = role_needed(path, method)
        return caller if caller.role >= needed else role_too_low(needed)

    def find(self, token: bytes) -> AccessToken | None:
        """Which token this is. All are compared, in constant time, so that how long it takes tells nothing."""
        digest = hashlib.sha256(token).hexdigest()
        known = [token for token in self.tokens if hmac.compare_digest(token.sha256.lower(), digest)]
        return known[0] if known else None

    def _bearer(self, headers: Headers) -> Caller | None:
        given = [value for name, value in headers if name == b"authorization"]
        match = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
        token = self.find(match[1]) if match else None
        return Caller(token.name, token.role) if token else None


class Door:
    """The policy as ASGI: around the whole app, so that nothing is behind it by oversight."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == WEBHOOK or scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        verdict = self._policy.judge(path_of(scope), scope["method"], list(scope["headers"]))
        if isinstance(verdict, Caller):
            scope["user"], scope["auth"] = verdict.name, verdict
            await self._app(scope, receive, send)
            return
        log.info("access_refused", status=verdict.kind.status, reason=verdict.kind.title)
        response = verdict.response().to_asgi_response(app=None, request=Request(scope))
        await response(scope, receive, send)


def path_of(scope: Scope) -> str:
    """The path that the router goes by: behind where the app is mounted, if it is, and without superfluous slashes."""
    path, root = scope["path"], scope.get("root_path")
    return normalize_path(path.split(root, maxsplit=1)[-1] if root else path)


def is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _judge_locally(method: str, headers: Headers) -> Caller | Problem:
    """Whoever is on this machine, unless a page of somebody else sent him: it could else act as him."""
    if not _is_local(headers):
        return NOT_LOCAL
    return FOREIGN if method not in SAFE and is_foreign(headers) else LOCAL


def _is_local(headers: Headers) -> bool:
    hosts = [value for name, value in headers if name == b"host"]
    proxied = any(_PROXIED.fullmatch(name) for name, _ in headers)
    return len(hosts) == 1 and _is_loopback_host(hosts[0]) and not proxied


@lru_cache(maxsize=64)
def _is_loopback_host(host: bytes) -> bool:
    """Whether a Host header, its port left aside, names this machine."""
    try:
        return is_loopback(urlsplit(f"//{host.decode('latin-1')}").hostname or "")
    except ValueError:
        return False
