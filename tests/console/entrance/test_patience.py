"""How many wrong tokens an address may try, by a clock that is moved and not waited for."""

import pytest

from statekeeper.console.entrance.patience import ADDRESSES, FAILURES, SECONDS, Patience


class Watch:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_an_address_waits_for_the_rest_of_its_minute_after_so_many_failures():
    watch = Watch()
    patience = Patience(watch)
    for _ in range(FAILURES):
        assert patience.wait_of("a") == 0
        patience.note_failure("a")
        watch.now += 1
    assert patience.wait_of("a") == SECONDS - FAILURES
    assert patience.wait_of("b") == 0
    watch.now = 100.0 + SECONDS - 0.5
    assert patience.wait_of("a") == 0.5
    watch.now += 0.5
    assert patience.wait_of("a") == 0
    patience.note_failure("a")
    assert patience.wait_of("a") == 0


@pytest.mark.parametrize(
    ("tried", "other", "waits"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_whoever_has_a_network_of_ipv6_is_one(tried, other, waits):
    patience = Patience(Watch())
    for _ in range(FAILURES):
        patience.note_failure(tried)
    assert (patience.wait_of(other) > 0) is waits


def test_no_more_addresses_are_remembered_than_so_many():
    patience = Patience(Watch())
    for _ in range(FAILURES):
        patience.note_failure("first")
    for number in range(ADDRESSES):
        patience.note_failure(str(number))
    assert patience.wait_of("first") == 0
    assert len(patience._failures) == ADDRESSES
