"""The token bucket: no more than its rate, in small portions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.rates import BURST_SECONDS, Bucket


def test_a_bucket_begins_full_with_a_tenth_of_a_second():
    assert Bucket.full(100, 7.0).available(7.0) == 10


@pytest.mark.parametrize("rate", [0.1, 1, 5, 10])
def test_a_slow_rate_has_one_at_a_time(rate):
    bucket = Bucket.full(rate, 0.0)
    assert bucket.available(0.0) == 1
    taken = bucket.take(1, 0.0)
    assert taken.available(0.0) == 0
    assert taken.available(0.99 / rate) == 0
    assert taken.available(1 / rate) == 1
    assert taken.full_at() == pytest.approx(1 / rate)


def test_a_bucket_that_waits_for_long_holds_no_more_than_its_burst():
    assert Bucket.full(100, 0.0).take(10, 0.0).available(1000.0) == 10


def test_what_was_not_taken_is_there_later():
    bucket = Bucket.full(100, 0.0).take(4, 0.0)
    assert (bucket.available(0.0), bucket.available(0.02), bucket.full_at()) == (6, 8, pytest.approx(0.04))


@given(st.floats(0.1, 10_000), st.lists(st.tuples(st.floats(0, 3), st.integers(0, 2000)), max_size=40))
def test_no_more_passes_in_any_time_than_the_rate_and_one_burst(rate, takes):
    bucket, now, passed = Bucket.full(rate, 0.0), 0.0, []
    for wait, wanted in takes:
        now += wait
        number = min(wanted, bucket.available(now))
        bucket = bucket.take(number, now)
        passed.append((now, number))
    for place, (since, _) in enumerate(passed):
        total = sum(number for _, number in passed[place:])
        assert total <= rate * (now - since) + max(1.0, rate * BURST_SECONDS) + 1e-3


def test_whoever_waits_until_it_is_full_gets_a_portion_each_time():
    bucket, now, passed = Bucket.full(50, 0.0), 0.0, 0
    for _ in range(11):
        passed += bucket.available(now)
        bucket = bucket.take(bucket.available(now), now)
        now = bucket.full_at()
    assert (passed, now) == (55, pytest.approx(1.1))
