"""Why an event became what it is, and how often it came again."""

from memory import again, said
from situations import Situation, ended, in_words
from statekeeper.core.statechart import Statechart

CREATED, COMPLETED = said(1, "session.created"), said(2, "session.completed")
BACK_AND_FORTH = Statechart.compile(
    {
        "id": "back-and-forth",
        "initial": "new",
        "states": {
            "new": {"on": {"open": "opened"}},
            "opened": {"on": {"read": "reading", "end": "over"}},
            "reading": {"on": {"close": "opened"}},
            "over": {"type": "final"},
        },
    }
)


def test_an_event_that_moved_the_session():
    assert ended().fates() == [
        "Number 1 (session.created) moved the session from pending to created.",
        "Number 2 (session.completed) moved the session from created to completed.",
    ]


def test_an_event_that_is_held_waits_for_the_numbers_before_it():
    situation = Situation().hear("08:35", said(2, "session.verified"), said(5, "session.completed"))
    assert situation.fates() == [
        "Number 2 (session.verified) is held: it waits for number 1.",
        "Number 5 (session.completed) is held: it waits for numbers 1, 3, 4.",
    ]


def test_an_event_behind_the_end():
    situation = ended().hear("08:36", said(3, "session.expired"))
    assert situation.fates()[2] == (
        "Number 3 (session.expired) was rejected: number 2 had ended the session as completed already."
    )


def test_an_event_that_was_held_when_the_session_ended():
    situation = Situation().hear("08:34", CREATED, said(4, "session.aborted")).hear("08:35", COMPLETED)
    assert situation.fates()[1] == (
        "Number 4 (session.aborted) was rejected: number 2 had ended the session as completed already."
    )


def test_an_event_that_the_chart_does_not_allow_where_the_session_was():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(2, "session.created"))
    refused = "Number 2 (session.created) was rejected: the chart has no such step from created."
    assert situation.fates()[1] == refused
    assert situation.hear("08:36", said(3, "session.completed")).fates()[1] == refused


def test_a_rejection_tells_where_the_session_was_and_not_where_it_has_come_since():
    situation = Situation(BACK_AND_FORTH)
    situation.hear("08:34", said(1, "open"), said(2, "close"), said(3, "read"), said(4, "read"), said(5, "close"))
    situation.hear("08:35", said(6, "end"))
    assert situation.fates()[1] == "Number 2 (close) was rejected: the chart has no such step from opened."
    assert situation.fates()[3] == "Number 4 (read) was rejected: the chart has no such step from reading."


def test_a_rejection_behind_a_gap_tells_what_was_inferred_before_it():
    situation = Situation(BACK_AND_FORTH).hear("08:34", said(1, "open"), said(3, "open"), said(4, "close"))
    situation.close_gap("08:35")
    assert situation.fates()[1] == "Number 3 (open) was rejected: the chart has no such step from reading."


def test_a_rejection_before_a_gap_does_not_tell_what_was_inferred_behind_it():
    situation = Situation(BACK_AND_FORTH).hear("08:34", said(1, "open"), said(2, "open"), said(4, "close"))
    situation.close_gap("08:35")
    assert situation.fates()[1] == "Number 2 (open) was rejected: the chart has no such step from opened."


def test_a_rejection_tells_of_a_step_by_a_late_event_if_that_had_come_before():
    situation = Situation(BACK_AND_FORTH).hear("08:34", said(1, "open"), said(3, "unheard-of")).close_gap("08:35")
    situation.hear("08:36", said(4, "close")).hear("08:37", said(2, "read")).hear("08:38", said(5, "read"))
    assert situation.fates()[2] == "Number 4 (close) was rejected: the chart has no such step from opened."
    assert situation.fates()[4] == "Number 5 (read) was rejected: the chart has no such step from reading."


def test_an_event_whose_name_the_chart_does_not_know():
    situation = ended().hear("08:36", said(3, "session.verified"))
    assert situation.fates()[2] == "Number 3 (session.verified) was ignored: the chart does not know this name."


def test_an_event_that_came_late_and_confirmed_its_step():
    situation = Situation().hear("08:35", COMPLETED).close_gap("08:36").hear("08:37", CREATED)
    assert situation.fates()[1] == (
        "Number 1 (session.created) came after it had been given up on, and confirmed the step to created that had been"
        " inferred."
    )


def test_an_event_that_came_late_and_for_nothing():
    situation = Situation().hear("08:34", CREATED, said(3, "session.completed")).close_gap("08:35")
    situation.hear("08:36", said(2, "session.expired"))
    assert situation.fates()[2] == (
        "Number 2 (session.expired) came after it had been given up on, and was kept without effect."
    )


def test_an_event_that_came_late_and_took_effect_after_all():
    situation = Situation().hear("08:34", CREATED, said(3, "session.verified")).close_gap("08:35")
    situation.hear("08:36", said(2, "session.completed"))
    assert situation.fates()[2] == (
        "Number 2 (session.completed) came after it had been given up on, and still moved the session from created to"
        " completed."
    )


def test_an_event_that_was_delivered_again():
    why = ended().hear("08:36", again(CREATED)).hear("08:37", again(COMPLETED), again(COMPLETED)).why()
    assert {arrival: in_words(repeat) for arrival, repeat in why.repeats.items()} == {
        1: "It was delivered once more, at 08:36:00.",
        2: "It was delivered 2 more times, the last time at 08:37:00.",
    }
    assert set(why.events) == {1, 2}


def test_of_an_event_that_came_once_nothing_more_is_said():
    assert ended().why().repeats == {}
