"""The circuit, sentence by sentence, and what must hold whatever comes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import NOW
from statekeeper.core.health import (
    HEALTHY,
    Disabled,
    Health,
    HealthPolicy,
    Opened,
    Recovered,
    State,
    admit,
    disable,
    enable,
    is_probe_due,
    observe,
)
from statekeeper.core.retry import Attempt, Outcome

POLICY = HealthPolicy(failures=3, pause=timedelta(seconds=5), disable_after=timedelta(days=5))
LEASE = timedelta(seconds=50)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def attempt(outcome=Outcome.FAILED, claimed=0.0, detail="HTTP 503"):
    return Attempt(outcome, at(claimed), 20, detail, not_before=timedelta(seconds=60))


def after(*seconds, policy=POLICY, health=HEALTHY):
    """The health and the last change behind failures that end at these times, claimed half a second earlier."""
    change = None
    for each in seconds:
        health, change = observe(health, attempt(claimed=each - 0.5), at(each), policy)
    return health, change


OPEN, _ = after(1, 2, 3)


def probed(health, seconds):
    """The health with a probe that is claimed now."""
    slots, leased = admit(health, 8, at(seconds), LEASE)
    assert (slots, leased.state) == (1, State.HALF_OPEN)
    return leased


def test_an_endpoint_that_never_failed_takes_all_its_slots():
    assert HEALTHY.state is State.CLOSED
    assert admit(HEALTHY, 8, NOW, LEASE) == (8, None)


def test_a_delivery_changes_nothing_about_a_healthy_endpoint():
    assert observe(HEALTHY, attempt(Outcome.DELIVERED), NOW, POLICY) == (HEALTHY, None)


def test_fewer_failures_than_a_run_hold_nothing_back():
    health, change = after(1, 2)
    assert (health, change) == (Health(failures=2, failing_since=at(1)), None)
    assert admit(health, 8, at(2), LEASE) == (8, None)


def test_a_run_of_failures_opens_the_circuit_whatever_pause_they_asked_for():
    health, change = after(1, 2, 3)
    assert change == Opened()
    assert health == Health(failures=3, failing_since=at(1), opened_at=at(3), probe_at=at(8))
    assert health.state is State.OPEN


def test_a_delivery_ends_a_run_and_is_told_to_nobody_if_the_circuit_was_closed():
    health, _ = after(1, 2)
    assert observe(health, attempt(Outcome.DELIVERED), at(3), POLICY) == (HEALTHY, None)


def test_an_open_circuit_admits_nothing_before_its_pause_is_over():
    assert admit(OPEN, 8, at(7.999), LEASE) == (0, None)
    assert not is_probe_due(OPEN, at(7.999))


def test_one_probe_goes_out_after_the_pause_and_no_other_beside_it():
    assert is_probe_due(OPEN, at(8))
    leased = probed(OPEN, 8)
    assert leased.probed_at == at(8)
    assert admit(leased, 8, at(8), LEASE) == (0, None)
    assert admit(leased, 8, at(57.999), LEASE) == (0, None)


def test_a_probe_whose_lease_ran_out_is_followed_by_another_one():
    assert probed(probed(OPEN, 8), 58).probed_at == at(58)


def test_a_probe_needs_a_free_slot():
    assert admit(OPEN, 0, at(8), LEASE) == (0, None)
    assert admit(HEALTHY, -1, at(8), LEASE) == (-1, None)


def test_a_probe_that_is_delivered_closes_the_circuit():
    health, change = observe(probed(OPEN, 8), attempt(Outcome.DELIVERED, 8), at(9), POLICY)
    assert (health, change) == (HEALTHY, Recovered(at(1)))


def test_a_pause_is_doubled_by_each_probe_that_fails_up_to_ten_minutes():
    health, now, pauses = OPEN, 8, []
    for _ in range(9):
        health, change = observe(probed(health, now), attempt(claimed=now), at(now), POLICY)
        assert change is None
        assert health.state is State.OPEN
        pauses.append((health.probe_at - at(now)).total_seconds())
        now += pauses[-1]
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_a_pause_never_overflows_and_one_that_is_longer_than_ten_minutes_stays_as_it_is():
    patient = HealthPolicy(failures=1, pause=timedelta(hours=1))
    health = Health(failures=9999, failing_since=NOW, opened_at=NOW, probe_at=NOW, probed_at=NOW, pauses=9998)
    assert observe(health, attempt(), NOW, patient)[0].probe_at == at(3600)


def test_attempts_from_before_the_circuit_opened_make_no_pause_longer():
    leased = probed(OPEN, 8)
    health, change = observe(leased, attempt(claimed=2), at(9), POLICY)
    assert change is None
    assert (health.failures, health.pauses, health.probe_at, health.probed_at) == (4, 0, leased.probe_at, at(8))


def test_a_probe_that_was_followed_by_another_one_makes_no_pause_longer():
    second = probed(probed(OPEN, 8), 58)
    health, _ = observe(second, attempt(claimed=8), at(59), POLICY)
    assert (health.pauses, health.state) == (0, State.HALF_OPEN)


def test_a_late_delivery_closes_the_circuit_as_well():
    assert observe(OPEN, attempt(Outcome.DELIVERED, 2), at(4), POLICY) == (HEALTHY, Recovered(at(1)))


def test_http_410_disables_at_once():
    health, change = observe(HEALTHY, attempt(Outcome.GAVE_UP, detail="HTTP 410"), at(1), POLICY)
    assert change == Disabled("HTTP 410")
    assert (health.state, health.disabled_at, health.disabled_reason) == (State.DISABLED, at(1), "HTTP 410")
    assert admit(health, 8, at(10**6), LEASE) == (0, None)


def test_whatever_else_is_given_up_on_says_nothing_of_the_endpoint():
    for health in (HEALTHY, OPEN, after(1, 2)[0]):
        assert observe(health, attempt(Outcome.GAVE_UP, detail="too large"), at(9), POLICY) == (health, None)


DAYS = 5 * 86_400


def test_nothing_but_failures_for_days_disable():
    health, change = after(1, 2, 3, DAYS + 0.999)
    assert (change, health.state) == (None, State.OPEN)
    health, change = after(DAYS + 1, health=health)
    assert change == Disabled("nothing but failures since 2026-01-08T08:35:38.581Z")
    assert (health.state, health.failures, health.failing_since) == (State.DISABLED, 5, at(1))


def test_a_few_failures_disable_nobody_however_far_apart_they_are():
    health, change = after(1, 2 * DAYS)
    assert (change, health.state) == (None, State.CLOSED)
    assert after(2 * DAYS + 1, health=health)[1] == Disabled("nothing but failures since 2026-01-08T08:35:38.581Z")


def test_a_delivery_in_between_begins_the_days_anew():
    health, _ = observe(after(1, 2, 3)[0], attempt(Outcome.DELIVERED), at(DAYS), POLICY)
    assert after(DAYS + 1, DAYS + 2, DAYS + 3, health=health)[1] == Opened()


def test_nobody_is_disabled_by_time_where_that_is_switched_off():
    never = HealthPolicy(failures=3, pause=timedelta(seconds=5), disable_after=timedelta())
    assert after(1, 2, 3, 1000 * DAYS, policy=never)[0].state is State.OPEN


@pytest.mark.parametrize("outcome", Outcome)
def test_what_comes_in_late_changes_nothing_about_a_disabled_endpoint(outcome):
    health = disable(OPEN, "HTTP 410", at(4))
    assert observe(health, attempt(outcome, detail="HTTP 410"), at(5), POLICY) == (health, None)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_was_claimed_before_an_endpoint_was_enabled_says_nothing_of_it(outcome):
    health = enable(at(10))
    assert observe(health, attempt(outcome, 9.999, "HTTP 410"), at(11), POLICY) == (health, None)


def test_an_endpoint_that_was_enabled_begins_healthy_and_fails_anew():
    health = enable(at(10))
    assert health.state is State.CLOSED
    assert admit(health, 8, at(10), LEASE) == (8, None)
    health, change = after(11, 12, 13, health=health)
    assert (change, health.failures, health.failing_since) == (Opened(), 3, at(11))
    assert observe(health, attempt(Outcome.DELIVERED, 20), at(21), POLICY)[0] == enable(at(10))


@given(st.lists(st.tuples(st.sampled_from(["claim", *Outcome]), st.floats(0, 90), st.integers(0, 9))))
def test_two_probes_are_never_under_way_within_one_lease(happenings):
    """Any claims and results, late results among them: between two probes is a lease, or the first one's end."""
    health, now, claimed, probe = OPEN, 10.0, [0.0, 2.0], None
    for what, wait, which in happenings:
        now += wait
        if what == "claim":
            slots, leased = admit(health, 8, at(now), LEASE)
            if health.state in {State.OPEN, State.HALF_OPEN}:
                assert slots in {0, 1}
                assert (leased is not None) is (slots == 1)
            if leased is not None:
                assert probe is None or at(now) >= at(probe) + LEASE
                health, probe = leased, now
            claimed += [now] * (slots > 0)
        else:
            began = claimed[which % len(claimed)]
            health, _change = observe(health, attempt(what, began, "HTTP 500"), at(now), POLICY)
            if began == probe or health.state in {State.CLOSED, State.DISABLED}:
                probe = None
