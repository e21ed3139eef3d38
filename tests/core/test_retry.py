from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt, judge, pause

NOW = datetime(2026, 1, 8, tzinfo=UTC)
SCHEDULE = (0, 5, 300, 1800)


def failed(**more):
    return Attempt(Outcome.FAILED, NOW - timedelta(seconds=3), 20, "500", **more)


def after(seconds):
    return RetryAt(NOW + timedelta(seconds=seconds))


def test_what_is_delivered_is_over():
    assert judge(Attempt(Outcome.DELIVERED, NOW, 20), SCHEDULE, 1, NOW, 0) == Delivered()
    assert judge(Attempt(Outcome.DELIVERED, NOW, 20), SCHEDULE, 99, NOW, 0) == Delivered()


def test_what_is_given_up_on_is_dead_at_once():
    given_up = Attempt(Outcome.GAVE_UP, NOW, 20, "410", retry_in=timedelta(5), not_before=timedelta(5))
    assert judge(given_up, SCHEDULE, 1, NOW, 0) == Dead()


@pytest.mark.parametrize(("tries", "wait"), [(1, 5), (2, 300), (3, 1800)])
def test_each_failure_waits_for_the_next_entry_from_now_on(tries, wait):
    assert judge(failed(), SCHEDULE, tries, NOW, 0) == after(wait)


def test_there_are_as_many_attempts_as_entries():
    assert judge(failed(), SCHEDULE, 4, NOW, 0) == Dead()
    assert judge(failed(), SCHEDULE, 5, NOW, 0) == Dead()
    assert judge(failed(), (0,), 1, NOW, 0) == Dead()


def test_a_wait_is_lengthened_by_up_to_a_tenth():
    assert pause(300, 0) == timedelta(seconds=300)
    assert pause(300, 0.5) == timedelta(seconds=315)
    assert pause(300, 1) == timedelta(seconds=330)
    assert judge(failed(), SCHEDULE, 2, NOW, 1) == after(330)


def test_a_receivers_plea_only_lengthens_the_wait_and_gets_no_jitter():
    assert judge(failed(not_before=timedelta(seconds=60)), SCHEDULE, 1, NOW, 1) == after(60)
    assert judge(failed(not_before=timedelta(seconds=60)), SCHEDULE, 2, NOW, 1) == after(330)
    assert judge(failed(not_before=timedelta(seconds=-60)), SCHEDULE, 1, NOW, 0) == after(5)


def test_a_receivers_plea_is_good_for_a_day_at_most():
    assert judge(failed(not_before=timedelta(days=3)), SCHEDULE, 1, NOW, 0) == after(86400)


def test_a_subscribers_order_is_kept_to_the_second_earlier_or_later():
    assert judge(failed(retry_in=timedelta(seconds=1)), SCHEDULE, 3, NOW, 1) == after(1)
    assert judge(failed(retry_in=timedelta(days=3)), SCHEDULE, 1, NOW, 1) == after(3 * 86400)
    assert judge(failed(retry_in=timedelta()), SCHEDULE, 1, NOW, 1) == after(0)


def test_neither_adds_an_attempt():
    assert judge(failed(retry_in=timedelta(seconds=1)), SCHEDULE, 4, NOW, 0) == Dead()
    assert judge(failed(not_before=timedelta(seconds=1)), SCHEDULE, 4, NOW, 0) == Dead()


@given(
    st.lists(st.floats(0, 100_000), min_size=1, max_size=12),
    st.integers(1, 15),
    st.floats(0, 1),
    st.none() | st.timedeltas(timedelta(), timedelta(days=5)),
)
def test_a_failure_waits_its_entry_or_its_plea_and_never_less(schedule, tries, jitter, plea):
    verdict = judge(failed(not_before=plea), schedule, tries, NOW, jitter)
    if tries >= len(schedule):
        assert verdict == Dead()
        return
    wait = verdict.due_at - NOW
    least = max(timedelta(seconds=schedule[tries]), min(plea or timedelta(), timedelta(days=1)))
    assert least <= wait <= max(least, timedelta(seconds=schedule[tries] * 1.1000001))
