"""The first sentence: how a session stands, or what it waits for."""

import pytest

from memory import said
from situations import STAGES, Situation, ended

CREATED, COMPLETED = said(1, "session.created"), said(2, "session.completed")


def first(situation):
    return situation.summary()[0]


def test_a_session_that_nothing_has_moved():
    situation = Situation().hear("08:34", said(1, "session.verified"))
    assert situation.summary() == [
        "Nothing that has come so far has moved it: it has waited for its first step since 08:34:00."
    ]


def test_a_session_that_waits_for_its_end():
    situation = Situation().hear("08:34", CREATED)
    assert situation.summary() == [
        "It has been in the state created since 08:34:00, and waits for its end; nothing is missing."
    ]


def test_a_session_that_went_on_without_a_number_does_not_say_that_nothing_is_missing():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(3, "unheard of")).close_gap("08:36")
    assert situation.summary() == [
        "It has been in the state created since 08:34:00, and waits for its end.",
        "Number 2 never came, and was given up on.",
    ]


def test_a_session_that_waits_for_one_number():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(3, "session.completed"))
    assert first(situation) == (
        "It has waited for number 2 since 08:35:00: number 3 (session.completed) has come before it."
    )


@pytest.mark.parametrize(
    ("number", "numbers"), [(3, "1, 2"), (4, "1-3"), (9999, "1-9998")], ids=["two", "three", "thousands"]
)
def test_a_session_that_waits_for_several_numbers(number, numbers):
    situation = Situation().hear("08:35", said(number, "session.completed"))
    assert first(situation) == (
        f"It has waited for numbers {numbers} since 08:35:00: number {number} (session.completed) has come before them."
    )


def test_of_several_gaps_it_waits_for_the_first_since_anything_was_held():
    situation = Situation().hear("08:35", said(5, "session.completed")).hear("08:36", said(2, "session.verified"))
    assert first(situation) == (
        "It has waited for number 1 since 08:35:00: number 2 (session.verified) has come before it."
    )


def test_a_session_that_went_as_it_should():
    assert first(ended()) == "It is completed: number 2 (session.completed) ended it at 08:35:00."
    assert first(ended("aborted")) == "It is aborted: number 2 (session.aborted) ended it at 08:35:00."


def test_a_session_whose_first_number_never_came():
    situation = Situation().hear("08:35", COMPLETED).close_gap("08:36")
    assert first(situation) == (
        "It is completed: number 2 (session.completed) ended it at 08:36:00; number 1 never came, so that the way to"
        " created was inferred."
    )


def test_a_session_of_which_several_numbers_never_came():
    situation = Situation().hear("08:35", said(3, "session.completed")).close_gap("08:36")
    assert first(situation) == (
        "It is completed: number 3 (session.completed) ended it at 08:36:00; numbers 1, 2 never came, so that the way"
        " to created was inferred."
    )


def test_a_session_that_began_with_its_end():
    situation = Situation().hear("08:35", said(1, "session.completed"))
    assert first(situation) == (
        "It is completed: number 1 (session.completed) ended it at 08:35:00; no event told of the way to created, so"
        " that it was inferred."
    )


def test_a_session_that_went_on_without_a_number_that_no_step_needed():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(3, "session.completed")).close_gap("08:36")
    assert first(situation) == (
        "It is completed: number 3 (session.completed) ended it at 08:36:00, although number 2 never came."
    )


def test_a_session_that_went_on_without_numbers_that_no_step_needed():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(5, "session.completed")).close_gap("08:36")
    assert first(situation) == (
        "It is completed: number 5 (session.completed) ended it at 08:36:00, although numbers 2-4 never came."
    )


def test_a_session_whose_lost_number_came_late_and_confirmed_its_step():
    situation = Situation().hear("08:35", COMPLETED).close_gap("08:36").hear("08:37", CREATED)
    assert first(situation) == (
        "It is completed: number 2 (session.completed) ended it at 08:36:00; number 1 came late, and confirmed what had"
        " been inferred."
    )


def test_a_session_whose_lost_numbers_came_late_and_confirmed_their_steps():
    situation = Situation(STAGES).hear("08:34", said(3, "weigh")).close_gap("08:35").hear("08:36", said(4, "accept"))
    situation.hear("08:37", said(1, "open"), said(2, "read"))
    assert first(situation) == (
        "It is accepted: number 4 (accept) ended it at 08:36:00; numbers 1, 2 came late, and confirmed what had been"
        " inferred."
    )


def test_a_number_that_came_late_without_effect_is_not_one_that_never_came():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(3, "session.completed")).close_gap("08:36")
    situation.hear("08:37", said(2, "session.verified"))
    assert first(situation) == "It is completed: number 3 (session.completed) ended it at 08:36:00."


def test_a_number_that_only_a_conflict_bears_never_came():
    situation = Situation().hear("08:34", said(1, "session.created", flow_id="flow"))
    situation.hear("08:35", said(3, "session.completed")).close_gap("08:36")
    situation.hear("08:37", said(2, "session.verified", flow_id="other"))
    assert first(situation) == (
        "It is completed: number 3 (session.completed) ended it at 08:36:00, although number 2 never came."
    )
