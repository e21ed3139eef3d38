"""What is known of the OpenID provider: where to send people, where to ask, and by which keys it signs.

It is asked when somebody signs in, and not again for a while; while it is away, what was last known stays good. A key
that is not known is worth one more look, at most every few seconds. What comes over the network is bounded as it is for
the webhooks' issuer: no redirects, no compression, a deadline, a size, and https (or this machine) for every address.

Sources: OpenID Connect Discovery 1.0, sections 3 and 4; RP-Initiated Logout 1.0, section 2.1; RFC 9207, section 3.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import httpx
import structlog

from statekeeper.core.errors import NotVerified, Unavailable
from statekeeper.core.loopback import is_trustworthy
from statekeeper.trust.compact import Token, read_object
from statekeeper.trust.keys import VerificationKey
from statekeeper.trust.keyset import KeySet, parse_key_set
from statekeeper.trust.sources import DEADLINE, KeysNotHad, open_client, read_text

GOOD_FOR: Final = 300.0
PAUSE: Final = 10.0
"""Seconds between two looks at what is not known, or not to be had."""
T = TypeVar("T")
log = structlog.get_logger()


def away() -> Unavailable:
    return Unavailable("The provider that people sign in by does not answer.", reason="provider")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The provider's own description, as far as it is used here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    secret_in_body: bool
    names_itself: bool

    @classmethod
    def read(cls, text: str, issuer: str) -> "Metadata":
        """Raises `ValueError` where it is no description, another's, or leads over a way that is not safe."""
        found = read_object(text.encode())
        if found.get("issuer") != issuer:
            raise ValueError("the discovery document is another issuer's")
        methods = found.get("token_endpoint_auth_methods_supported")
        methods = methods if isinstance(methods, list) else ["client_secret_basic"]
        return cls(
            _address(found, "authorization_endpoint"),
            _address(found, "token_endpoint"),
            _address(found, "jwks_uri"),
            _address(found, "userinfo_endpoint") if "userinfo_endpoint" in found else None,
            _address(found, "end_session_endpoint") if "end_session_endpoint" in found else None,
            "client_secret_basic" not in methods and "client_secret_post" in methods,
            found.get("authorization_response_iss_parameter_supported") is True,
        )


def _address(found: Mapping[str, Any], name: str) -> str:
    address = found.get(name)
    if not isinstance(address, str) or not is_trustworthy(address):
        raise ValueError(f"the discovery document's {name} is missing, or plain http to another machine")
    return address


class Kept(Generic[T]):
    """Something that is fetched when it is needed and old; while it cannot be had, the last one is good."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._value: T | None = None
        self._due_at = self._asked_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def get(self) -> T:
        """Raises `Unavailable` where there never was one."""
        async with self._fetching:
            if self._clock() >= self._due_at:
                await self._renew()
        if self._value is None:
            raise away()
        return self._value

    async def get_newer(self) -> T:
        """The same, fetched anew unless that was done a moment ago."""
        async with self._fetching:
            if self._clock() >= self._asked_at + PAUSE:
                await self._renew()
        return await self.get()

    async def _renew(self) -> None:
        self._asked_at = self._clock()
        try:
            self._value = await self._fetch()
        except (KeysNotHad, ValueError, httpx.HTTPError, httpx.InvalidURL, TimeoutError, Unavailable) as error:
            log.warning("provider_not_had", error=str(error) or type(error).__name__, known=self._value is not None)
            self._due_at = self._asked_at + PAUSE
            return
        self._due_at = self._asked_at + GOOD_FOR


class Discovery:
    """The provider's description and its keys, kept for a while."""

    def __init__(
        self,
        issuer: str,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer: Final = issuer
        self.client: Final = open_client(transport)
        self._metadata: Final = Kept(self._fetch_metadata, clock)
        self._keys: Final = Kept(self._fetch_keys, clock)

    async def metadata(self) -> Metadata:
        """Raises `Unavailable`."""
        return await self._metadata.get()

    async def key_for(self, token: Token) -> VerificationKey:
        """The key that a token with a good header asks for; raises `Unavailable`, or `NotVerified` if there is none."""
        key = (await self._keys.get()).find(token) or (await self._keys.get_newer()).find(token)
        if key is None:
            raise NotVerified("The key that `kid` names is not one of the provider's.", reason="unknown_key")
        return key

    async def _fetch_metadata(self) -> Metadata:
        url = f"{self._issuer.removesuffix('/')}/.well-known/openid-configuration"
        return Metadata.read(await self._get(url), self._issuer)

    async def _fetch_keys(self) -> KeySet:
        return parse_key_set(await self._get((await self.metadata()).jwks_uri))

    async def _get(self, url: str) -> str:
        status, text = await ask(self.client, httpx.Request("GET", url))
        if status != httpx.codes.OK:
            raise KeysNotHad(f"the provider answered {status}")
        return text


async def ask(client: httpx.AsyncClient, request: httpx.Request) -> tuple[int, str]:
    """Ask the provider one thing, bounded in time and size; raises `KeysNotHad`, `httpx.HTTPError`, `TimeoutError`."""
    for name in ("accept", "accept-encoding", "user-agent"):
        request.headers.setdefault(name, client.headers[name])
    async with asyncio.timeout(DEADLINE):
        response = await client.send(request, stream=True)
        try:
            return response.status_code, await read_text(response)
        finally:
            await response.aclose()
