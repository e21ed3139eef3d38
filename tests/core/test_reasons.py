"""What a reason says is read from it again."""

import pytest

from statekeeper.core import reasons


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 2), (7, 9998)])
def test_the_numbers_that_were_given_up_on_are_told_and_the_first_is_read(first, last):
    assert reasons.read_given_up(reasons.tell_given_up(first, last)) == first


@pytest.mark.parametrize("name", ["session.completed", "a b\nc came first, and the chart allows it only from x"])
def test_the_event_that_came_first_is_told_and_read(name):
    assert reasons.read_came_first(reasons.tell_came_first(name, "created")) is not None
    assert reasons.read_came_first(reasons.tell_came_first("session.completed", "created")) == "session.completed"


@pytest.mark.parametrize("reason", [None, "", reasons.AFTER_ITS_TURN, "number one was given up on"])
def test_another_reason_says_neither(reason):
    assert (reasons.read_given_up(reason), reasons.read_came_first(reason)) == (None, None)
