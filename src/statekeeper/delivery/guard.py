"""The way out: where a callback goes is checked at the very connection that it goes by.

A name is looked up once for each new connection, off the loop. Of its addresses those within reach are tried in their
order, and the connection is made to the address that was checked: no second lookup follows, so that a name which leads
elsewhere the next moment (DNS rebinding) gains nothing. TLS is begun by the pool on that connection, for the name: the
certificate must be the host's. If all addresses are out of reach, the attempt ends as `Refused`, with the reason.

A pool finds a connection by scheme, host and port, and asks nobody whether who uses it again may go there. Therefore a
pool belongs to one reach: whoever may go elsewhere has another transport, with pools of its own. Of those it has one a
host, since a pool looks through all its connections at every request: ten endpoints would each pay for all ten.

It is made of httpcore's public parts, not of httpx's transport with a part exchanged: that would let everything pass
the day the part has another name.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import Final

import httpcore
import httpx

from statekeeper.core.addresses import Reach
from statekeeper.delivery.daemons import Daemons

CONNECT_SECONDS: Final = 3.0
KEEPALIVE_SECONDS: Final = 1.0
MOST_IDLE: Final = 64
_LOOKUPS: Final = Daemons(32, "lookup")

Origin = tuple[bytes, bytes, int | None]
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Refused(Exception):
    """No address of the host is within reach; the message names one of them, and the setting that could allow it."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system orders them; raises `OSError`.

    Lookups have threads of their own: one that a slow name server holds up must not stand in the way of the keys, or of
    whatever else the loop does in threads, or of the end of the process.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.wrap_future(_LOOKUPS.start(look_up))
    return [str(address[0]) for *_, address in found]


class Guard(httpcore.AsyncNetworkBackend):
    """Opens the connections of a pool, to addresses within `reach` only."""

    def __init__(self, reach: Reach, look_up: Resolve = resolve) -> None:
        self._reach = reach
        self._look_up = look_up
        self._asked: dict[tuple[str, int], asyncio.Task[Sequence[str]]] = {}
        self._dialer = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; one that does not costs the others a few seconds at most."""
        *first, last = self._within_reach(await self._find(host, port))
        for address in first:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._dialer.connect_tcp(address, port, CONNECT_SECONDS, local_address, socket_options)
        return await self._dialer.connect_tcp(last, port, timeout, local_address, socket_options)

    async def _find(self, host: str, port: int) -> Sequence[str]:
        """One lookup of a host at a time, for all who wait for it: a host that is slow to be found holds one thread."""
        question = (host, port)
        if question not in self._asked:
            self._asked[question] = asyncio.ensure_future(self._look_up(host, port))
            self._asked[question].add_done_callback(partial(self._found, question))
        try:
            return await asyncio.shield(self._asked[question])
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error

    def _found(self, question: tuple[str, int], task: asyncio.Task[Sequence[str]]) -> None:
        """A failure is told to those who asked; if they have all gone, to nobody."""
        del self._asked[question]
        if not task.cancelled():
            task.exception()

    def _within_reach(self, addresses: Iterable[str]) -> list[str]:
        judged = {address: self._reach.refusal(ip_address(address)) for address in addresses}
        if allowed := [address for address, refusal in judged.items() if refusal is None]:
            return allowed
        raise Refused(next(filter(None, judged.values()), "refused: the name has no address"))


class Transport(httpx.AsyncBaseTransport):
    """What httpx sends by: a pool a host, whose connections the guard opens. There is no limit to their number."""

    def __init__(self, reach: Reach, context: ssl.SSLContext, look_up: Resolve = resolve) -> None:
        self._guard = Guard(reach, look_up)
        self._context = context
        self._pools: dict[Origin, httpcore.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            got = await self._pool_of(url).handle_async_request(sent)
        return httpx.Response(got.status, headers=got.headers, stream=_Body(got), extensions=got.extensions)

    @property
    def connections(self) -> list[httpcore.AsyncConnectionInterface]:
        """All that are open, or being opened."""
        return [each for pool in self._pools.values() for each in pool.connections]

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    def _pool_of(self, url: httpx.URL) -> httpcore.AsyncConnectionPool:
        origin = (url.raw_scheme, url.raw_host, url.port)
        if origin not in self._pools:
            self._pools[origin] = httpcore.AsyncConnectionPool(
                ssl_context=self._context,
                max_connections=None,
                max_keepalive_connections=MOST_IDLE,
                keepalive_expiry=KEEPALIVE_SECONDS,
                network_backend=self._guard,
            )
        return self._pools[origin]


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


_ERRORS: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}


@contextmanager
def _as_httpx() -> Iterator[None]:
    """What httpcore raises, by the name that it has in httpx."""
    try:
        yield
    except tuple(_ERRORS) as error:
        raise _ERRORS[type(error)](str(error)) from error
