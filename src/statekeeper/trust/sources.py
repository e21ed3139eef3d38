"""Where the issuer's key set comes from: its discovery document, a fixed address, or a file.

Everything that comes over the network is bounded: one deadline for all of a fetch, no redirects, no content encoding
(so that few bytes cannot become many), no document above 1 MiB. Plain `http://` is for loopback hosts only, a
`jwks_uri` that was discovered included, and never goes through a proxy, which could put in keys of its own.

Sources: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 9111, section 5.2.2, for Cache-Control.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx

from statekeeper.core.loopback import is_trustworthy
from statekeeper.trust.compact import read_object

MAX_BYTES: Final = 1024 * 1024
DEADLINE: Final = 8.0
LIFETIME: Final = 300.0
"""Seconds that a set is good for unless its Cache-Control says otherwise."""
_SHORTEST: Final = 60.0
_LONGEST: Final = 3600.0
_MAX_AGE: Final = re.compile(r'(?:^|[\s,])max-age="?([0-9]+)"?(?=\s|,|;|$)', re.ASCII | re.IGNORECASE)
_NEVER: Final = re.compile(r"(?:^|[\s,])(?:no-cache|no-store)(?=\s|,|;|$)", re.ASCII | re.IGNORECASE)


class KeysNotHad(Exception):
    """A fetch that gave no key set. The message is for the operator's log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, not yet parsed, and the seconds for which it is good."""

    document: str
    lifetime: float = LIFETIME


class KeySource(Protocol):
    """One place to ask, by its name. A `local` one costs the issuer nothing: no pauses, no start without."""

    @property
    def name(self) -> str: ...

    @property
    def local(self) -> bool: ...

    async def fetch(self) -> Fetched:
        """The document as it is now; raises `KeysNotHad`."""
        ...

    async def close(self) -> None: ...


class FileSource:
    """A JWK Set in a file, for where there is no network."""

    local: Final = True

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self.name: Final = str(path)

    async def fetch(self) -> Fetched:
        try:
            return Fetched(_text(await asyncio.to_thread(self._read)))
        except OSError as error:
            raise KeysNotHad(f"the file cannot be read: {error.strerror}") from error

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    async def close(self) -> None:
        """There is nothing to close."""


class RemoteSource:
    """The issuer, asked over HTTP; without `jwks_url`, its discovery document says where the keys are."""

    local: Final = False

    def __init__(self, issuer: str, jwks_url: str | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._issuer: Final = issuer
        self._jwks_url: Final = jwks_url
        self._discovery: Final = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        self.name: Final = jwks_url or self._discovery
        self._client: Final = open_client(transport)

    async def fetch(self) -> Fetched:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._fetch()
        except TimeoutError as error:
            raise KeysNotHad("the issuer took too long") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise KeysNotHad(f"the issuer cannot be reached: {type(error).__name__}") from error

    async def _fetch(self) -> Fetched:
        document, headers = await self._get(self._jwks_url or await self._discover())
        return Fetched(document, lifetime(headers.get("cache-control", "")))

    async def _discover(self) -> str:
        document, _headers = await self._get(self._discovery)
        try:
            found = read_object(document.encode())
        except ValueError as error:
            raise KeysNotHad(f"the discovery document is {error}") from error
        if found.get("issuer") != self._issuer:
            raise KeysNotHad("the discovery document is another issuer's")
        address = found.get("jwks_uri")
        if not isinstance(address, str):
            raise KeysNotHad("the discovery document has no jwks_uri")
        return address

    async def _get(self, url: str) -> tuple[str, httpx.Headers]:
        if not is_trustworthy(url):
            raise KeysNotHad("plain http is for loopback hosts only")
        async with self._client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise KeysNotHad(f"the issuer answered {response.status_code}")
            return await read_text(response), response.headers

    async def close(self) -> None:
        await self._client.aclose()


def key_source(
    issuer: str,
    jwks_url: str | None = None,
    jwks_file: Path | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> KeySource:
    """The source that the settings name: the file, else the address, else the issuer's discovery document."""
    return FileSource(jwks_file) if jwks_file else RemoteSource(issuer, jwks_url, transport)


def lifetime(cache_control: str) -> float:
    """The seconds until the next fetch: `max-age` within 60 to 3600, the shortest where caching is forbidden."""
    if _NEVER.search(cache_control):
        return _SHORTEST
    age = _MAX_AGE.search(cache_control)
    return min(max(float(age[1]), _SHORTEST), _LONGEST) if age else LIFETIME


async def read_text(response: httpx.Response) -> str:
    """The text of an answer that is still on its way; raises `KeysNotHad` where it is compressed, or too much."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise KeysNotHad("the issuer's answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            break
    return _text(body)


def open_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """What an issuer is asked by: no redirects, no content encoding, and no proxy on the way to this machine."""
    direct = {"http://": None, "all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
    return httpx.AsyncClient(
        follow_redirects=False,
        timeout=DEADLINE,
        headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "statekeeper"},
        transport=transport,
        mounts=None if transport else direct,
    )


def _text(body: bytes | bytearray) -> str:
    if len(body) > MAX_BYTES:
        raise KeysNotHad(f"the document is larger than {MAX_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise KeysNotHad("the document is not UTF-8") from error
