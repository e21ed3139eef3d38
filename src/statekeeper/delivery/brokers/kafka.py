"""Kafka: an event is delivered when all in-sync replicas have it (`acks=all`).

The producer is idempotent, so that its own repetitions leave one record. The key is the sessionId, for the order within
a session; the event's id is in the headers, since Kafka deduplicates nothing between two attempts. A topic that is not
there is made, or not, as the cluster is configured.

Sources: Kafka, "Producer Configs"; CloudEvents 1.0, Kafka protocol binding.
"""

import asyncio
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from statekeeper.core.brokers import Location
from statekeeper.core.cloudevents import CONTENT_TYPE, CloudEvent
from statekeeper.delivery.brokers.links import CLIENT, CONNECT_SECONDS, tls

_stopping: Final[set[asyncio.Task[None]]] = set()
_SASL: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


class KafkaLink:
    """A producer, which keeps its connections to the cluster by itself."""

    usable = True

    def __init__(self, location: Location, topic: str) -> None:
        self._topic = topic
        self.broker: Final = KafkaBroker(
            location.hosts,
            security=_security(location),
            acks="all",
            enable_idempotence=True,
            client_id=CLIENT,
            request_timeout_ms=CONNECT_SECONDS * 1000,
            logger=None,
        )
        self.broker.config.broker_config.producer = _Producer(None, None)

    async def open(self) -> None:
        await self.broker.connect()

    async def publish(self, event: CloudEvent) -> None:
        await self.broker.publish(
            event.content,
            self._topic,
            key=(event.subject or event.id).encode(),
            headers={"content-type": CONTENT_TYPE, "ce_id": event.id},
            correlation_id=event.id,
        )

    async def close(self) -> None:
        """Begin to stop, and wait for it: if nobody waits any more, what is under way still runs out by itself."""
        task = asyncio.create_task(self.broker.stop())
        _stopping.add(task)
        task.add_done_callback(_stopping.discard)
        await asyncio.shield(task)


class _Producer(AioKafkaFastProducerImpl):
    """FastStream's own, which would forget a producer that cannot start, with whatever it has opened."""

    async def connect(self, producer: AIOKafkaProducer, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- same
        try:
            await super().connect(producer, *arguments, **named)
        except BaseException:
            await producer.stop()
            raise


def _security(location: Location) -> BaseSecurity:
    context = tls(location)
    if location.username is None:
        return BaseSecurity(context)
    return _SASL[location.mechanism](location.username, location.password or "", ssl_context=context)


dial: Final = KafkaLink
