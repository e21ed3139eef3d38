"""Kafka: an event is delivered when all in-sync replicas have it (`acks=all`).

The producer is idempotent, so that its own repetitions leave one record. The key is the sessionId, for the order within
a session; the event's id is in the headers, since Kafka deduplicates nothing between two attempts. A topic that is not
there is made, or not, as the cluster is configured.

Sources: Kafka, "Producer Configs"; CloudEvents 1.0, Kafka protocol binding.
"""

import asyncio
from typing import Final

from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from statekeeper.core.brokers import Location
from statekeeper.core.cloudevents import CONTENT_TYPE, CloudEvent
from statekeeper.delivery.brokers.links import CLIENT, CONNECT_SECONDS, tls

_SASL: Final = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


class KafkaLink:
    """A producer, which keeps its connections to the cluster by itself."""

    usable = True

    def __init__(self, location: Location, topic: str) -> None:
        self._hosts = location.hosts
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

    async def open(self) -> None:
        await _reach(self._hosts)
        await self.broker.connect()

    async def publish(self, event: CloudEvent) -> None:
        await self.broker.publish(
            event.content,
            self._topic,
            key=event.subject.encode(),
            headers={"content-type": CONTENT_TYPE, "ce_id": event.id},
            correlation_id=event.id,
        )

    async def close(self) -> None:
        await self.broker.stop()


async def _reach(hosts: tuple[str, ...]) -> None:
    """Raise if no host listens. To ask the client would cost an error in the log each time: it forgets a producer."""
    errors = []
    for host, _, port in (each.rpartition(":") for each in hosts):
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError as error:
            errors.append(error)
        else:
            writer.close()
            return
    raise errors[0]


def _security(location: Location) -> BaseSecurity:
    context = tls(location)
    if location.username is None:
        return BaseSecurity(context)
    return _SASL[location.mechanism](location.username, location.password or "", ssl_context=context)


dial: Final = KafkaLink
