"""NATS JetStream: an event is delivered when a stream has acknowledged it.

The acknowledgement is the reply to a request, so that a subject that no stream takes is known at once: the server says
that nobody responds. No stream is made here, since what it keeps is the operator's decision. A stream drops what came
before under the same `Nats-Msg-Id`, within its duplicate window.

`tls://` means TLS or nothing. The client alone would go on without, and tell its credentials, if the server did not ask
for TLS, or somebody on the way to it had seen to that.

Sources: NATS, "JetStream: Publishing, message deduplication"; CloudEvents 1.0, NATS protocol binding.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLObject
from typing import Any, Final

from faststream.nats import NatsBroker
from faststream.nats.security import NatsSecurity, NatsToken, NatsUserPassword
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, NoRespondersError, NoServersError

from statekeeper.core.brokers import Location
from statekeeper.core.cloudevents import CONTENT_TYPE, CloudEvent
from statekeeper.delivery.brokers.links import CLIENT, CONNECT_SECONDS, Refused

_NO_LIMIT: Final = 366 * 86_400  # the attempt has one
_LINGER: Final = 0.1  # a client closes at once, and then waits for an end that a failed handshake never tells of


class NatsLink:
    """A connection to NATS. It does not reconnect: what is asked meanwhile would wait, and not fail."""

    def __init__(self, location: Location, subject: str) -> None:
        self._subject = subject
        self._tls = _Required(PROTOCOL_TLS_CLIENT) if location.secure else None
        self._client: Client | None = None
        self._error: Exception | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._broker = _Broker(
            [f"nats://{host}" for host in location.hosts],
            security=_security(location, self._tls),
            name=CLIENT,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_SECONDS,
            error_cb=self._note,
            closed_cb=self._lose,
            logger=None,
        )

    @property
    def usable(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        try:
            self._client = await self._broker.connect()
        except NoServersError as error:
            raise self._error or error from error
        if self._tls is not None:
            self._tls.require()

    async def publish(self, event: CloudEvent) -> None:
        asking = asyncio.create_task(self._ask(event))
        try:
            await asyncio.wait((asking, self._lost), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise ConnectionClosedError
            _check(asking.result())
        finally:
            asking.cancel()

    async def close(self) -> None:
        """At once, without the broker's own end: that drains, which a server that is silent never answers."""
        if self._client is not None:
            await self._client.close()

    async def _ask(self, event: CloudEvent) -> bytes:
        headers = {"Nats-Msg-Id": event.id, "content-type": CONTENT_TYPE}
        try:
            reply = await self._broker.request(
                event.content, self._subject, headers=headers, correlation_id=event.id, timeout=_NO_LIMIT
            )
        except NoRespondersError as error:
            message = f"no JetStream stream takes the subject {self._subject}"
            raise Refused(message) from error
        return reply.body

    async def _note(self, error: Exception) -> None:
        """The client's reason, where the exception that follows says only that there is no server."""
        self._error = error

    async def _lose(self) -> None:
        if not self._lost.done():
            self._lost.set_result(None)


class _Broker(NatsBroker):
    """FastStream's own, which would forget a client that cannot connect, with the socket that it has opened."""

    async def _connect(self) -> Client:
        client = Client()
        try:
            await client.connect(**self._connection_kwargs)
        except BaseException:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    await client.close()
            raise
        self.config.connect(client)
        return client


class _Required(SSLContext):
    """TLS that can tell whether it came to be, with the system's authorities."""

    def __init__(self, _protocol: int) -> None:
        self.load_default_certs()
        self._begun = False

    def wrap_bio(self, *arguments: Any, **named: Any) -> SSLObject:  # noqa: ANN401 -- the base class's own
        self._begun = True
        return super().wrap_bio(*arguments, **named)

    def require(self) -> None:
        """Raise unless a handshake was made; one that failed has raised already."""
        if not self._begun:
            message = "the server does not ask for TLS"
            raise ConnectionError(message)


def _security(location: Location, tls: _Required | None) -> NatsSecurity:
    """Credentials as functions: the client calls them when it is about to send them."""
    user, password = (_withheld(each, tls) for each in (location.username, location.password))
    if location.username is None:
        return NatsSecurity(ssl_context=tls)
    if location.password is None:
        return NatsToken(user, ssl_context=tls)  # type: ignore[arg-type]  # the client takes a function
    return NatsUserPassword(user, password, ssl_context=tls)  # type: ignore[arg-type]


def _withheld(secret: str | None, tls: _Required | None) -> Callable[[], str | None]:
    def tell() -> str | None:
        if tls is not None:
            tls.require()
        return secret

    return tell


def _check(reply: bytes) -> None:
    """Read the acknowledgement; `Refused` if it is none."""
    try:
        said = json.loads(reply)
        error, stream = said.get("error"), said.get("stream")
    except (ValueError, AttributeError):
        error, stream = None, None
    if error is not None or stream is None:
        reason = error.get("description", "error") if isinstance(error, dict) else "the answer is not JetStream's"
        message = f"JetStream: {reason}"
        raise Refused(message)


dial: Final = NatsLink
