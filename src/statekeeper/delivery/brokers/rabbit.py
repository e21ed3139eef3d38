"""RabbitMQ: an event is delivered when the broker has confirmed a persistent message that some queue took.

It is published as mandatory, so that one that no queue takes comes back, and is a failed attempt. The message's id is
the event's. Neither exchange nor queue is made here: whoever consumes knows how durable and how long they are.

Sources: RabbitMQ, "Consumer Acknowledgements and Publisher Confirms"; CloudEvents 1.0, AMQP protocol binding.
"""

from typing import Final

from aio_pika import RobustConnection
from aio_pika.abc import TimeoutType
from aio_pika.exceptions import DeliveryError
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange
from faststream.security import BaseSecurity

from statekeeper.core.brokers import Location, rabbit_address
from statekeeper.core.cloudevents import CONTENT_TYPE, CloudEvent
from statekeeper.delivery.brokers.links import CLIENT, CONNECT_SECONDS, Refused, tls


class RabbitLink:
    """A connection to RabbitMQ, with one channel in confirm mode."""

    def __init__(self, location: Location, destination: str) -> None:
        self._destination = destination
        exchange, self._key = rabbit_address(destination)
        self._exchange = RabbitExchange(exchange, declare=False) if exchange else None
        self._connection: RobustConnection | None = None
        self._broker = RabbitBroker(
            location.url,
            security=BaseSecurity(tls(location)),
            default_channel=Channel(on_return_raises=True),
            timeout=CONNECT_SECONDS,
            app_id=CLIENT,
            logger=None,
        )
        self._broker._connection_kwargs["connection_class"] = _Connection  # noqa: SLF001 -- FastStream has no argument for it

    @property
    def usable(self) -> bool:
        return self._connection is not None and self._connection.connected.is_set()

    async def open(self) -> None:
        self._connection = await self._broker.connect()

    async def publish(self, event: CloudEvent) -> None:
        try:
            await self._broker.publish(
                event.content,
                exchange=self._exchange,
                routing_key=self._key,
                mandatory=True,
                persist=True,
                message_id=event.id,
                correlation_id=event.id,
                message_type=event.type,
                content_type=CONTENT_TYPE,
            )
        except DeliveryError as error:
            message = f"no queue took it at {self._destination}"
            raise Refused(message) from error

    async def close(self) -> None:
        """The connection first: the channel's end may never be answered, and the client would go on reconnecting."""
        if self._connection is not None:
            await self._connection.close()
        await self._broker.stop()


class _Connection(RobustConnection):
    """The client's own, which would go on trying to connect for ever after it was told to give up."""

    async def connect(self, timeout: TimeoutType = None) -> None:  # noqa: ASYNC109 -- same
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


dial: Final = RabbitLink
