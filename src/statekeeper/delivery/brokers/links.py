"""What a link to a broker does. It is one connection, made once: when it is lost, a new link takes its place.

None waits in silence for a broker to come back, as clients like to do: an attempt is to fail while its broker is away,
and the outbox knows when to make the next one.
"""

from collections.abc import Callable
from ssl import SSLContext, create_default_context
from typing import Final, Protocol

from statekeeper.core.brokers import Location
from statekeeper.core.cloudevents import CloudEvent

CONNECT_SECONDS: Final = 10
CLIENT: Final = "statekeeper"


class Refused(Exception):
    """The broker is there, and does not take the event; the link stays good. The message is for the history."""


class Link(Protocol):
    """A connection to one broker, for one destination."""

    @property
    def usable(self) -> bool:
        """Whether an event can go out on it, as far as is known."""
        ...

    async def open(self) -> None:
        """Connect, or raise; called once, and given `CONNECT_SECONDS`."""
        ...

    async def publish(self, event: CloudEvent) -> None:
        """Return once the broker has it safe; raises `Refused`, or whatever else, which costs the link."""
        ...

    async def close(self) -> None:
        """Give up the connection, whatever its state."""
        ...


Dial = Callable[[Location, str], Link]


def tls(location: Location) -> SSLContext | None:
    """What the way to this broker is guarded with: the system's authorities, or those of SSL_CERT_FILE."""
    return create_default_context() if location.secure else None
