"""Who is told, put together from the settings: for the service that tells them, and for the commands beside it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from statekeeper.core.addresses import Reach, literal_refusal
from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.administration import FUNCTION
from statekeeper.delivery.brokers.sender import Broker, BrokerSender, broker_senders
from statekeeper.delivery.catalogue import Catalogue
from statekeeper.delivery.changes import Values
from statekeeper.delivery.clients import Clients
from statekeeper.delivery.directory import Directory, Member, endpoint_of
from statekeeper.delivery.endpoints import Endpoint, HttpSender
from statekeeper.delivery.handlers import Handler
from statekeeper.settings import BrokerSettings, EndpointSettings, Settings, check_endpoint, endpoint_options
from statekeeper.store.endpoints import Secret
from statekeeper.trust.sealing import Sealer


class Roster:
    """What the settings and the functions say of it: `members` are those that are no data. `close` ends them all.

    `out_of_reach` has the endpoints of the settings that no callback can ever go to, each with the reason.
    """

    def __init__(self, settings: Settings, handlers: Iterable[Handler] = ()) -> None:
        self.clients = Clients(settings.delivery.allowed_networks)
        self.handlers = tuple(handlers)
        self.brokers = broker_senders(map(_broker, settings.brokers))
        self.sealer = Sealer([key.get_secret_value() for key in settings.encryption_keys])
        self.out_of_reach: dict[str, str] = {}
        self.members = (
            *(Member(each.subscriber, FUNCTION, each) for each in self.handlers),
            *(self._endpoint(each) for each in settings.endpoints),
            *map(_broker_member, self.brokers, settings.brokers),
        )

    def directory(self, on_change: Callable[[], None] = lambda: None) -> Directory:
        return Directory(self.members, self.sealer, self.connect, on_change)

    def catalogue(self, names: Iterable[str] = ()) -> Catalogue:
        """What may be made and changed; `names` are taken besides."""
        taken = frozenset((*names, *(each.name for each in self.members)))
        return Catalogue(self.sealer, partial(_check, self.clients.reach), taken)

    def connect(self, endpoint: Endpoint) -> HttpSender:
        return HttpSender(endpoint, self.clients.client_for(endpoint))

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.clients.aclose)
            for broker in self.brokers:
                stack.push_async_callback(broker.close)
            for handler in self.handlers:
                stack.callback(handler.close)

    def _endpoint(self, each: EndpointSettings) -> Member:
        secrets = tuple(Secret(secret.get_secret_value()) for secret in each.secrets)
        endpoint = endpoint_of(each.name, each.url, secrets, endpoint_options(each), trusted=True)
        if refusal := self.clients.refusal(endpoint):
            self.out_of_reach[each.name] = refusal
        pace = endpoint.concurrency, endpoint.rate
        return Member(endpoint.subscriber, "http", self.connect(endpoint), each.url, *pace, secrets)


def _check(reach: Reach, values: Values) -> Mapping[str, Any]:
    """Check an endpoint that is no operator's own word: it may lead to no address that is not public."""
    options = check_endpoint(values)
    if refusal := literal_refusal(values["url"], reach):
        raise BodyRefused((Fault("url", refusal),))
    return options


def _broker(each: BrokerSettings) -> Broker:
    return Broker(Subscriber.wanting(each.name, each.model_dump()), each.url, each.destination, each.concurrency)


def _broker_member(sender: BrokerSender, each: BrokerSettings) -> Member:
    return Member(sender.subscriber, "broker", sender, each.url, each.concurrency)
