"""The rates of a node's subscribers: who may have how much now, and when there is more."""

import pytest

from statekeeper.delivery.throttle import Throttle

FREE = {"crm": 8, "erp": 8}
RATES = {"crm": 20.0, "erp": None}


class Seconds:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def throttle(seconds):
    return Throttle(seconds)


def test_a_rate_lets_through_its_burst_and_those_without_one_everything(throttle):
    assert throttle.limit(FREE, RATES) == {"crm": 2, "erp": 8}


def test_fewer_slots_than_tokens_are_not_made_more(throttle):
    assert throttle.limit({"crm": 1, "erp": -1}, RATES) == {"crm": 1, "erp": -1}


def test_what_was_claimed_is_used_up_and_what_was_not_is_there_still(throttle):
    throttle.take(FREE, throttle.limit(FREE, RATES), {"crm": 1})
    assert throttle.limit(FREE, RATES)["crm"] == 1


def test_what_a_rate_held_back_goes_on_once_its_burst_is_full(throttle, seconds):
    throttle.take(FREE, throttle.limit(FREE, RATES), {"crm": 2, "erp": 3})
    assert throttle.next_at() == pytest.approx(50.1)
    throttle.take(FREE, throttle.limit(FREE, RATES), {})
    assert throttle.next_at() == pytest.approx(50.1)
    seconds.now = 50.1
    throttle.take(FREE, throttle.limit(FREE, RATES), {"crm": 1})
    assert throttle.next_at() is None


def test_after_a_claim_that_failed_nothing_is_waited_for(throttle):
    throttle.take(FREE, throttle.limit(FREE, RATES), {"crm": 2})
    throttle.limit(FREE, RATES)
    assert throttle.next_at() is None


def test_where_the_slots_are_the_limit_nothing_is_waited_for(throttle):
    few = {"crm": 1, "erp": 1}
    throttle.take(few, throttle.limit(few, RATES), {"crm": 1, "erp": 1})
    assert throttle.next_at() is None


def test_a_rate_that_was_changed_begins_anew_and_one_that_is_gone_holds_nothing_back(throttle):
    throttle.take(FREE, throttle.limit(FREE, RATES), {"crm": 2})
    assert throttle.limit(FREE, RATES | {"crm": 40.0})["crm"] == 4
    allowed = throttle.limit({"erp": 8}, {"erp": None})
    throttle.take({"erp": 8}, allowed, {})
    assert throttle.next_at() is None
