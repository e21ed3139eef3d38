"""Where a message broker is, and where in it an event goes, as an operator writes both.

The scheme of a URL says what kind of broker it is and whether TLS guards the way there; without TLS only a loopback
host is taken. Of parameters there is one, Kafka's `mechanism`: others can turn off what TLS is for. A destination is
what the broker's own users call an address; RabbitMQ's is a queue, or an address as its version 4 writes it.

Source: RabbitMQ 4, "AMQP 1.0: Address v2".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from statekeeper.core.loopback import MISLEADING, is_loopback


class BrokerKind(StrEnum):
    """A kind of broker, by the name of the extra that brings its client."""

    NATS = "nats"
    RABBIT = "rabbit"
    KAFKA = "kafka"
    REDIS = "redis"


_SCHEMES: Final = {
    "nats": (BrokerKind.NATS, False),
    "tls": (BrokerKind.NATS, True),
    "amqp": (BrokerKind.RABBIT, False),
    "amqps": (BrokerKind.RABBIT, True),
    "kafka": (BrokerKind.KAFKA, False),
    "kafka+ssl": (BrokerKind.KAFKA, True),
    "redis": (BrokerKind.REDIS, False),
    "rediss": (BrokerKind.REDIS, True),
}
_PORTS: Final = {BrokerKind.NATS: 4222, BrokerKind.KAFKA: 9092}
_CLUSTERS: Final = frozenset(_PORTS)
_MECHANISMS: Final = frozenset({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})
_PATHS: Final = {
    BrokerKind.NATS: "/?",
    BrokerKind.RABBIT: "(/[^/]*)?",
    BrokerKind.KAFKA: "/?",
    BrokerKind.REDIS: "/?[0-9]*",
}
_SUBJECT: Final = re.compile(r"(?![$_])[^\s.*>\x00]+(\.[^\s.*>\x00]+)*")
_TOPIC: Final = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a broker is: `hosts` with their ports, where the URL may name several; `url` is the whole, as given."""

    kind: BrokerKind
    secure: bool
    hosts: tuple[str, ...]
    url: str = field(repr=False)
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    mechanism: str = "PLAIN"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may repeat, the longest first, also as the URL has it; a user without a password is a token."""
        _, _, quoted = urlsplit(self.url).netloc.rpartition("@")[0].rpartition(":")
        secret = self.username if self.password is None else self.password
        return tuple(sorted({each for each in (secret, quoted) if each}, key=len, reverse=True))


def parse_location(url: str) -> Location:
    """Read a URL; `ValueError` if it is none of a broker, or leads over a network without TLS."""
    if MISLEADING.search(url):
        raise ValueError
    parts = urlsplit(url)
    kind, secure = _scheme(parts.scheme)
    user, _, hosts = parts.netloc.rpartition("@")
    username, _, password = user.partition(":")
    return Location(
        kind=kind,
        secure=secure,
        hosts=_hosts(kind, secure, hosts),
        url=url,
        username=unquote(username) or None,
        password=unquote(password) or None,
        mechanism=_rest(kind, parts),
    )


def check_destination(kind: BrokerKind, destination: str) -> None:
    """`ValueError`, with what such a broker takes, if an event cannot go to this destination."""
    fits, takes = _DESTINATIONS[kind]
    if not fits(destination):
        raise ValueError(takes)


def rabbit_address(destination: str) -> tuple[str, str]:
    """The exchange and the routing key; the default exchange, whose name is empty, routes to the queue of that key."""
    match destination.split("/"):
        case [queue] | ["", "queues", queue] if queue:
            return "", unquote(queue) if destination.startswith("/") else queue
        case ["", "exchanges", exchange, *rest] if exchange and len(rest) <= 1:
            return unquote(exchange), unquote(rest[0]) if rest else ""
    raise ValueError


def _scheme(scheme: str) -> tuple[BrokerKind, bool]:
    if scheme not in _SCHEMES:
        raise ValueError
    return _SCHEMES[scheme]


def _hosts(kind: BrokerKind, secure: bool, text: str) -> tuple[str, ...]:
    hosts = tuple(text.split(","))
    if len(hosts) > 1 and kind not in _CLUSTERS:
        raise ValueError
    return tuple(_host(kind, secure, each) for each in hosts)


def _host(kind: BrokerKind, secure: bool, text: str) -> str:
    parts = urlsplit(f"//{text}")
    host, port = parts.hostname, parts.port or _PORTS.get(kind)
    if not host or parts.netloc != text or not (secure or is_loopback(host)):
        raise ValueError
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name


def _rest(kind: BrokerKind, parts: SplitResult) -> str:
    """The mechanism that the parameters ask for; nothing else may stand behind the hosts that has no meaning there."""
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    mechanism = parameters.pop("mechanism", "PLAIN") if kind is BrokerKind.KAFKA else "PLAIN"
    if parameters or parts.fragment or mechanism not in _MECHANISMS or not re.fullmatch(_PATHS[kind], parts.path):
        raise ValueError
    return mechanism


def _is_rabbit_address(destination: str) -> bool:
    try:
        exchange, key = rabbit_address(destination)
    except ValueError:
        return False
    return max(len(exchange.encode()), len(key.encode())) <= 255  # noqa: PLR2004 -- AMQP's short string


_DESTINATIONS: Final[dict[BrokerKind, tuple[Callable[[str], object], str]]] = {
    BrokerKind.NATS: (_SUBJECT.fullmatch, "NATS takes a subject without wildcards"),
    BrokerKind.RABBIT: (_is_rabbit_address, "RabbitMQ takes a queue, /queues/QUEUE or /exchanges/EXCHANGE/ROUTING-KEY"),
    BrokerKind.KAFKA: (_TOPIC.fullmatch, "Kafka takes a topic"),
    BrokerKind.REDIS: (bool, "Redis takes the key of a stream"),
}
