"""What the parts go by, made from the settings; and the store's side of the key ring."""

from datetime import datetime, timedelta

from statekeeper.core.health import HealthPolicy
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.settlement import Policy as Delivery
from statekeeper.settings import DeliverySettings, Settings
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Journal
from statekeeper.store.keys import load_key_set, save_key_set
from statekeeper.trust.keyring import Keyring
from statekeeper.trust.sources import key_source
from statekeeper.trust.verification import WebhookPolicy
from statekeeper.writer import Writer


class KeySets:
    """Where the key ring keeps its sets over a restart: the store, written through the one writer."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def load(self, source: str) -> tuple[str, datetime] | None:
        return await load_key_set(self._database.reader, source)

    async def save(self, source: str, document: str, fetched_at: datetime) -> None:
        await self._writer.execute(lambda connection, _now: save_key_set(connection, source, document, fetched_at))


def delivery_policy(settings: DeliverySettings) -> Delivery:
    pause, disable_after = (timedelta(seconds=each) for each in (settings.breaker_pause, settings.disable_after))
    health = HealthPolicy(settings.breaker_failures, pause, disable_after)
    return Delivery(settings.schedule, settings.timeout, health=health)


def webhook_policy(settings: Settings) -> WebhookPolicy:
    idnow = settings.idnow
    return WebhookPolicy(idnow.issuer or "", frozenset(idnow.audience), idnow.algorithms, idnow.leeway)


def keyring_of(settings: Settings, policy: WebhookPolicy, key_sets: KeySets) -> Keyring:
    idnow = settings.idnow
    return Keyring(key_source(policy.issuer, idnow.jwks_url, idnow.jwks_file), policy, key_sets)


def journal_of(settings: Settings, charts: Charts, subscribers: tuple[Subscriber, ...]) -> Journal:
    gap_timeout = timedelta(seconds=settings.ordering.gap_timeout)
    return Journal(charts, subscribers, gap_timeout, settings.delivery.schedule[0])
