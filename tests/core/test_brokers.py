"""A broker's URL and destination: what is read of them, and what is none."""

import pytest

from statekeeper.core.brokers import BrokerKind, check_destination, parse_location, rabbit_address


@pytest.mark.parametrize(
    ("url", "kind", "secure", "hosts"),
    [
        ("nats://127.0.0.1", BrokerKind.NATS, False, ("127.0.0.1:4222",)),
        ("nats://localhost:4223/", BrokerKind.NATS, False, ("localhost:4223",)),
        ("tls://a.example,b.example:4223", BrokerKind.NATS, True, ("a.example:4222", "b.example:4223")),
        ("amqp://127.0.0.1", BrokerKind.RABBIT, False, ("127.0.0.1",)),
        ("amqps://u:p@mq.example:5671/vhost", BrokerKind.RABBIT, True, ("mq.example:5671",)),
        ("kafka://[::1]:9092,localhost", BrokerKind.KAFKA, False, ("[::1]:9092", "localhost:9092")),
        ("kafka+ssl://u:p@k.example?mechanism=SCRAM-SHA-512", BrokerKind.KAFKA, True, ("k.example:9092",)),
        ("redis://localhost/0", BrokerKind.REDIS, False, ("localhost",)),
        ("REDISS://r.example:6380", BrokerKind.REDIS, True, ("r.example:6380",)),
    ],
)
def test_the_scheme_says_what_it_is_and_whether_tls_guards_it(url, kind, secure, hosts):
    location = parse_location(url)
    assert (location.kind, location.secure, location.hosts) == (kind, secure, hosts)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nats",
        "nats://",
        "nats:4222",
        "http://127.0.0.1",
        "nats://nats.example",
        "amqp://mq.example",
        "redis://u:p@r.example",
        "kafka://127.0.0.1,k.example",
        "nats://127.0.0.1@nats.example",
        "nats://127.0.0.1,",
        "nats://127.0.0.1:x",
        "nats://127.0.0.1:99999",
        "nats://127.0.0.1\\@nats.example",
        "nats://127.0.0.1 ",
        "amqp://127.0.0.1,127.0.0.2",
        "redis://127.0.0.1,127.0.0.2",
        "tls://n.example/path",
        "redis://127.0.0.1/stream",
        "amqp://127.0.0.1/a/b",
        "nats://127.0.0.1#f",
        "rediss://r.example?ssl_cert_reqs=none",
        "amqps://mq.example?no_verify_ssl=1",
        "kafka+ssl://k.example?mechanism=GSSAPI",
        "kafka+ssl://k.example?acks=0",
        "redis://127.0.0.1?mechanism=PLAIN",
    ],
)
def test_these_are_no_urls_of_a_broker_that_is_safe_to_reach(url):
    with pytest.raises(ValueError):
        parse_location(url)


def test_credentials_are_read_as_they_are_meant():
    location = parse_location("kafka+ssl://us%40er:p%2Fw:d@k.example?mechanism=SCRAM-SHA-256")
    assert (location.username, location.password) == ("us@er", "p/w:d")
    assert location.mechanism == "SCRAM-SHA-256"
    assert "p%2Fw" not in repr(location)
    assert "p/w" not in repr(location)


def test_what_no_text_may_repeat_is_the_password_or_a_token_in_both_spellings():
    assert parse_location("amqp://guest:s%2Fecret@127.0.0.1").secrets == ("s%2Fecret", "s/ecret")
    assert parse_location("nats://to%2Bken@127.0.0.1").secrets == ("to%2Bken", "to+ken")
    assert parse_location("nats://127.0.0.1").secrets == ()


@pytest.mark.parametrize(
    ("kind", "destination"),
    [
        (BrokerKind.NATS, "sessions"),
        (BrokerKind.NATS, "idnow.sessions.ended"),
        (BrokerKind.RABBIT, "session.ended"),
        (BrokerKind.RABBIT, "/queues/a%2Fb"),
        (BrokerKind.RABBIT, "/exchanges/idnow/session.ended"),
        (BrokerKind.RABBIT, "/exchanges/fanout"),
        (BrokerKind.KAFKA, "sessions.ended_1-a"),
        (BrokerKind.REDIS, "any key:at all"),
    ],
)
def test_these_are_destinations(kind, destination):
    check_destination(kind, destination)


@pytest.mark.parametrize(
    ("kind", "destination"),
    [
        *(
            (BrokerKind.NATS, each)
            for each in ("a.*", "a.>", "a..b", ".a", "a.", "a b", "$JS.API.INFO", "_INBOX.a", "a\n")
        ),
        *(
            (BrokerKind.RABBIT, each)
            for each in ("", "/", "/queues/", "/exchanges//k", "/topics/a", "/exchanges/a/b/c", "a/b")
        ),
        *((BrokerKind.RABBIT, each) for each in ("x" * 256, "/exchanges/a/" + "ä" * 128)),
        *((BrokerKind.KAFKA, each) for each in (".", "..", "a b", "a/b", "ä", "x" * 250)),
        (BrokerKind.REDIS, ""),
    ],
)
def test_these_are_none(kind, destination):
    with pytest.raises(ValueError, match=r"takes"):
        check_destination(kind, destination)


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        ("ended%20", ("", "ended%20")),
        ("/queues/ended%20now", ("", "ended now")),
        ("/exchanges/idnow/a%2Fb", ("idnow", "a/b")),
        ("/exchanges/idnow", ("idnow", "")),
    ],
)
def test_a_rabbitmq_destination_is_an_exchange_and_a_routing_key(destination, address):
    assert rabbit_address(destination) == address
