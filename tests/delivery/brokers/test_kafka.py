"""Kafka: the record, by FastStream's own broker in memory; and a cluster that is not there, by a real client."""

import asyncio

import pytest
from faststream.kafka import KafkaMessage, TestKafkaBroker
from faststream.security import SASLPlaintext, SASLScram256, SASLScram512

from brokers import Detour, claim, sender
from statekeeper.core.brokers import parse_location
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.retry import Outcome
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.brokers.kafka import KafkaLink
from statekeeper.delivery.brokers.sender import Broker, BrokerSender

URL = "kafka://127.0.0.1:9092"


async def test_a_topic_gets_a_record_with_the_event_keyed_by_its_session():
    link = KafkaLink(parse_location(URL), "ended")
    heard = []

    @link.broker.subscriber("ended", auto_offset_reset="earliest")
    async def hear(_event: dict, message: KafkaMessage) -> None:
        heard.append(message.raw_message)

    told = claim()
    async with TestKafkaBroker(link.broker):
        bus = BrokerSender(Broker(Subscriber("bus"), URL, "ended"), lambda *_: link)
        assert (await bus.send(told)).outcome is Outcome.DELIVERED
    (record,) = heard
    assert record.value == as_cloudevent(told.callback_id, told.body).content
    assert record.key == str(told.session_id).encode()
    headers = dict(record.headers)
    assert headers["content-type"] == b"application/cloudevents+json"
    assert headers["ce_id"] == str(told.callback_id).encode()


async def test_the_producer_waits_for_all_replicas_and_repeats_itself_without_duplicates():
    options = KafkaLink(parse_location(URL), "ended").broker._connection_kwargs
    assert (options["acks"], options["enable_idempotence"]) == ("all", True)
    assert options["security_protocol"] == "PLAINTEXT"


@pytest.mark.parametrize(
    ("mechanism", "security"),
    [("PLAIN", SASLPlaintext), ("SCRAM-SHA-256", SASLScram256), ("SCRAM-SHA-512", SASLScram512)],
)
async def test_credentials_go_over_tls_only(mechanism, security):
    url = f"kafka+ssl://user:hunter2@k.example?mechanism={mechanism}"
    broker = KafkaLink(parse_location(url), "ended").broker
    assert isinstance(broker.specification.security, security)
    options = broker._connection_kwargs
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", mechanism)
    assert options["ssl_context"].check_hostname
    assert options["bootstrap_servers"] == ["k.example:9092"]


async def test_while_the_cluster_is_away_attempts_fail():
    async with Detour(None) as detour:
        port = detour.port
    bus = sender(f"kafka://127.0.0.1:{port}", "ended")
    async with asyncio.timeout(20):
        answer = await bus.send(claim())
    await bus.close()
    assert answer.outcome is Outcome.FAILED
    assert answer.detail.startswith("KafkaConnectionError: Unable to bootstrap from ")
