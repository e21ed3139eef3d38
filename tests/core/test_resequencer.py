from hypothesis import given
from hypothesis import strategies as st

from memory import said
from statekeeper.core.resequencer import missing, release


def numbers(*sequences):
    return [said(number, "any") for number in sequences]


def split(cursor, *sequences):
    run, held = release(cursor, numbers(*sequences))
    return [event.sequence for event in run], [event.sequence for event in held]


def test_nothing_waits_and_nothing_is_let_through():
    assert split(0) == ([], [])


def test_the_next_number_is_let_through_and_takes_those_behind_it_along():
    assert split(0, 1) == ([1], [])
    assert split(3, 5, 4, 6) == ([4, 5, 6], [])


def test_what_has_a_gap_before_it_is_held():
    assert split(0, 2) == ([], [2])
    assert split(3, 6, 4, 8, 5, 9) == ([4, 5, 6], [8, 9])


def test_numbers_are_ordered_as_numbers():
    assert split(8, 10, 9, 11) == ([9, 10, 11], [])


def test_missing_are_the_numbers_before_the_last_one_held():
    assert missing(0, []) == []
    assert missing(5, []) == []
    assert missing(0, [3]) == [1, 2]
    assert missing(2, [7, 4]) == [3, 5, 6]


@given(st.integers(0, 50), st.sets(st.integers(1, 60)))
def test_the_run_is_unbroken_and_as_long_as_it_can_be(cursor, ahead):
    waiting = [cursor + number for number in ahead]
    run, held = split(cursor, *waiting)
    assert run == list(range(cursor + 1, cursor + 1 + len(run)))
    assert run + held == sorted(waiting)
    assert cursor + len(run) + 1 not in held
    assert missing(cursor, waiting) == sorted(set(range(cursor + 1, max(waiting, default=0))) - set(waiting))
