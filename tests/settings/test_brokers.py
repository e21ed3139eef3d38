"""The list of brokers: what is wrong with one is said without showing a credential of its URL."""

import pytest

from statekeeper.settings import load_settings, resolve, resolved

BROKER = {"name": "bus", "url": "tls://nats.example", "destination": "sessions.ended"}
TAKES_URL = (
    "takes a tls://, amqps://, kafka+ssl:// or rediss:// URL "
    "(nats://, amqp://, kafka://, redis:// for a loopback host only)"
)


def shown_url(setting, url, destination="ended"):
    setting("BROKERS", [{**BROKER, "url": url, "destination": destination}])
    resolution = resolve()
    rows = {row.name: row.value for row in resolved(resolution.settings, resolution.origins)}
    return rows["brokers"][0]["url"]


def test_in_the_environment_they_are_json(setting):
    setting("BROKERS", [{**BROKER, "states": ["completed"], "environments": "live,test", "concurrency": 2}])
    (broker,) = load_settings().brokers
    assert (broker.name, broker.url, broker.destination) == ("bus", "tls://nats.example", "sessions.ended")
    assert (broker.states, broker.environments, broker.flows) == (("completed",), ("live", "test"), ())
    assert broker.concurrency == 2


def test_in_the_file_they_are_tables(write):
    write('[[brokers]]\nname = "bus"\nurl = "redis://127.0.0.1"\ndestination = "ended"')
    (broker,) = load_settings().brokers
    assert (broker.url, broker.concurrency) == ("redis://127.0.0.1", 8)


def test_without_tls_only_this_machine_is_reached(setting, fault):
    setting("BROKERS", [{**BROKER, "url": "nats://nats.example"}])
    assert fault() == f'brokers[0].url: got "nats://nats.example" from STATEKEEPER_BROKERS; {TAKES_URL}'


def test_what_a_destination_is_depends_on_the_broker(setting, fault):
    setting("BROKERS", [{**BROKER, "destination": "sessions.>"}])
    assert fault() == (
        'brokers[0].destination: got "sessions.>" from STATEKEEPER_BROKERS; NATS takes a subject without wildcards; '
        "takes a JetStream subject, a RabbitMQ queue or address, a Kafka topic or the key of a Redis stream"
    )


def test_a_destination_is_not_blamed_for_its_url(setting, fault):
    setting("BROKERS", [{**BROKER, "url": "http://nats.example", "destination": "sessions.>"}])
    assert fault().startswith('brokers[0].url: got "http://nats.example" ')


@pytest.mark.parametrize("concurrency", [0, 257, True, "many"])
def test_concurrency_is_bounded(setting, fault, concurrency):
    setting("BROKERS", [{**BROKER, "concurrency": concurrency}])
    assert fault().endswith("takes messages at once, 1 to 256")


def test_two_of_one_name_are_a_fault(setting, fault):
    setting("BROKERS", [BROKER, {**BROKER, "destination": "other"}])
    assert "names must be unique; more than one is called bus" in fault()


@pytest.mark.parametrize(
    "url",
    [
        "nats://hunter2@nats.example",
        "nats://user:hunter2@nats.example:port",
        "nats://user:hunter2@nats.example",
        "nats://user:hunter/2@nats.example",
        "nats://hunter/2@nats.example",
        "natz://hunter2@nats.example",
        "nats:hunter2@nats.example",
        "amqp://user:hunter2@mq.example",
        "amqps://user:hunter2@mq.example?password=hunter2",
        "redis://:hunter2@r.example",
        "kafka://user:hunter2@k.example,l.example",
        "hunter2@nats.example",
    ],
)
def test_no_fault_shows_a_credential(setting, fault, url):
    setting("BROKERS", [{**BROKER, "url": url}])
    assert "hunter" not in fault()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("tls://hunter2@nats.example:4222", "tls://***@nats.example:4222"),
        ("tls://user:hunter2@nats.example", "tls://user:***@nats.example"),
        ("amqps://user:hunter2@mq.example/v", "amqps://user:***@mq.example/v"),
        ("rediss://:hunter2@r.example/1", "rediss://:***@r.example/1"),
        ("kafka+ssl://user:hunter2@k.example,l.example", "kafka+ssl://user:***@k.example,l.example"),
        ("nats://127.0.0.1", "nats://127.0.0.1"),
    ],
)
def test_they_are_shown_without_credentials(setting, url, shown):
    assert shown_url(setting, url) == shown
    assert "hunter2" not in repr(load_settings())
