"""A broker's callbacks: one attempt each, over a link that they share.

The link is made by the first attempt that needs one, in a task of its own, for which all attempts wait: one that runs
out of time does not spoil it for the next. A link that lost an event, or on which an attempt ran out of time, is in
doubt: no new attempt uses it, and it is closed once the last is off it. So a broker that is away costs failed attempts,
and nothing else: nobody waits for it longer than an attempt takes.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from statekeeper.core.brokers import parse_location
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.errors import OperatorError
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.answers import DELIVERED, Answer, storable
from statekeeper.delivery.brokers.links import CONNECT_SECONDS, Dial, Link, Refused
from statekeeper.logs import BLOT, redact
from statekeeper.store.attempts import Claim

CLOSE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Broker:
    """Where events go, and what it wants to be told; a URL may hold secrets."""

    subscriber: Subscriber
    url: str = field(repr=False)
    destination: str
    concurrency: int = 8


@dataclass(slots=True)
class _Connection:
    """A link, made or in the making, with the attempts that use it."""

    made: asyncio.Task[Link]
    users: int = 0
    doubtful: bool = False

    @property
    def usable(self) -> bool:
        if not self.made.done():
            return True
        return not self.made.cancelled() and self.made.exception() is None and self.made.result().usable


class BrokerSender:
    """Publishes the callbacks of one broker. Nothing is connected before the first of them."""

    rate = None
    guarded = True

    def __init__(self, broker: Broker, dial: Dial) -> None:
        self.subscriber: Final = broker.subscriber
        self.slots: Final = broker.concurrency
        self.ordered: Final = broker.subscriber.ordered
        self._location = parse_location(broker.url)
        self._destination = broker.destination
        self._dial = dial
        self._connection: _Connection | None = None
        self._closings: set[asyncio.Task[None]] = set()

    async def send(self, claim: Claim) -> Answer:
        """Publish once; whatever goes wrong is a failed attempt, told without a secret of the URL."""
        connection = self._connect()
        connection.users += 1
        try:
            link = await asyncio.shield(connection.made)
            await link.publish(as_cloudevent(claim.callback_id, claim.body))
        except Refused as error:
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001 -- each client has its own tree of them
            connection.doubtful = True
            return self._failed(_describe(error))
        except asyncio.CancelledError:
            connection.doubtful = connection.made.done()
            raise
        finally:
            connection.users -= 1
            self._release(connection)
        return DELIVERED

    async def close(self) -> None:
        """Close what is open, in a moment or not at all."""
        if self._connection is not None:
            self._discard(self._connection)
        await asyncio.gather(*self._closings, return_exceptions=True)

    def _connect(self) -> _Connection:
        """The connection to use now; one that was lost is replaced."""
        found = self._connection
        if found is None or found.doubtful or not found.usable:
            if found is not None and not found.users:
                self._discard(found)
            found = self._connection = _Connection(asyncio.create_task(self._make()))
            found.made.add_done_callback(_look_at)
        return found

    async def _make(self) -> Link:
        link = self._dial(self._location, self._destination)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await link.open()
        except BaseException:
            await _close(link)
            raise
        return link

    def _release(self, connection: _Connection) -> None:
        """Close a connection that nobody will use again. One still in the making is nobody's fault: it is kept."""
        if connection.users or not connection.made.done():
            return
        if connection.doubtful or connection is not self._connection:
            self._discard(connection)

    def _discard(self, connection: _Connection) -> None:
        if connection is self._connection:
            self._connection = None
        task = asyncio.create_task(_end(connection.made))
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)

    def _failed(self, detail: str) -> Answer:
        for secret in self._location.secrets:
            detail = detail.replace(secret, BLOT)
        return Answer(Outcome.FAILED, storable(redact(detail)))


def broker_senders(brokers: Iterable[Broker]) -> tuple[BrokerSender, ...]:
    """A sender for each; raises `OperatorError` if a broker's client is not installed."""
    return tuple(BrokerSender(each, _dial(each)) for each in brokers)


def _dial(broker: Broker) -> Dial:
    """The kind's own link, imported here and now."""
    kind = parse_location(broker.url).kind
    try:
        dial: Dial = import_module(f"statekeeper.delivery.brokers.{kind}").dial
    except ImportError as error:
        message = (
            f'brokers: "{broker.subscriber.name}" needs what is not installed; run: pip install "statekeeper[{kind}]"'
        )
        raise OperatorError(message) from error
    return dial


def _describe(error: Exception) -> str:
    """Type and message; some say their type themselves."""
    kind, said = type(error).__name__, str(error)
    return said if said.startswith(kind) else f"{kind}: {said}".removesuffix(": ")


async def _end(made: asyncio.Task[Link]) -> None:
    """Close the link that a task made, or have it make none."""
    made.cancel()
    await asyncio.wait({made})
    if not made.cancelled() and made.exception() is None:
        await _close(made.result())


async def _close(link: Link) -> None:
    with suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await link.close()


def _look_at(made: asyncio.Task[Link]) -> None:
    """Have seen its exception, even if every attempt that waited for it has gone."""
    if not made.cancelled():
        made.exception()
