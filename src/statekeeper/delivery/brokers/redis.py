"""Redis: an event is delivered when it is an entry of a stream.

An entry has the fields `id`, `content-type` and `data`, which is the event. The id is what a consumer tells a
repetition by: Redis before 8.6 deduplicates nothing, and the producer's ids of later ones (`IDMP`) are not asked for.
The stream is made by its first entry, and never trimmed here.

Source: Redis, "XADD".
"""

from typing import Final

from faststream.redis import RedisBroker

from statekeeper.core.brokers import Location
from statekeeper.core.cloudevents import CONTENT_TYPE, CloudEvent
from statekeeper.delivery.brokers.links import CONNECT_SECONDS


class RedisLink:
    """A pool of connections, which replaces those that are lost."""

    usable = True

    def __init__(self, location: Location, key: str) -> None:
        self._key = key
        self._broker = RedisBroker(
            location.url,
            socket_connect_timeout=CONNECT_SECONDS,
            logger=None,  # type: ignore[arg-type]  # it means none, as it does to the other brokers
        )

    async def open(self) -> None:
        client = await self._broker.connect()
        await client.ping()

    async def publish(self, event: CloudEvent) -> None:
        client = await self._broker.connect()
        await client.xadd(self._key, {"id": event.id, "content-type": CONTENT_TYPE, "data": event.content})

    async def close(self) -> None:
        await self._broker.stop()


dial: Final = RedisLink
