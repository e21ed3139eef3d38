"""What happens next to a session that waits for a number, and when."""

from memory import said
from situations import GAP_TIMEOUT, STAGES, Situation, at, callback
from statekeeper.explanation.gaps import foresee

CREATED = said(1, "session.created")


def behind_a_gap(number=3, name="session.completed", time="08:35"):
    return Situation().hear("08:34", CREATED).hear(time, said(number, name))


def second(situation, now, **changes):
    return situation.summary(now, **changes)[1]


def test_a_gap_that_is_given_up_on_ends_the_session():
    assert second(behind_a_gap(), "08:35:10") == "At 08:36:00 number 2 is given up on, and it becomes completed."


def test_several_numbers_that_are_given_up_on_end_the_session():
    assert second(behind_a_gap(6), "08:35:10") == "At 08:36:00 numbers 2-5 are given up on, and it becomes completed."


def test_a_gap_that_is_given_up_on_may_change_nothing():
    situation = behind_a_gap(name="session.verified")
    assert second(situation, "08:35:10") == "At 08:36:00 number 2 is given up on, and it stays created."
    situation = behind_a_gap(4, name="session.verified")
    assert second(situation, "08:35:10") == "At 08:36:00 numbers 2, 3 are given up on, and it stays created."


def test_what_must_have_happened_is_foreseen_as_the_fold_infers_it():
    situation = Situation().hear("08:35", said(2, "session.aborted"))
    assert second(situation, "08:35:10") == "At 08:36:00 number 1 is given up on, and it becomes aborted."


def test_no_more_is_foreseen_than_the_numbers_given_up_can_have_said():
    situation = Situation(STAGES).hear("08:34", said(1, "open")).hear("08:35", said(3, "accept"))
    assert second(situation, "08:35:10") == "At 08:36:00 number 2 is given up on, and it stays opened."
    situation = Situation(STAGES).hear("08:34", said(1, "open")).hear("08:35", said(4, "accept"))
    assert second(situation, "08:35:10") == "At 08:36:00 numbers 2, 3 are given up on, and it becomes accepted."


def test_an_interruption_prolongs_the_wait():
    assert second(behind_a_gap(), "08:35:10", up_since=at("08:35:30")) == (
        "At 08:36:30 number 2 is given up on, and it becomes completed."
    )
    assert second(behind_a_gap(), "08:35:10", up_since=at("08:00")) == (
        "At 08:36:00 number 2 is given up on, and it becomes completed."
    )


def test_a_gap_that_is_overdue():
    assert second(behind_a_gap(), "08:36") == (
        "Number 2 has been overdue since 08:36:00: when the service next gives it up, it becomes completed."
    )
    assert second(behind_a_gap(4), "08:37") == (
        "Numbers 2, 3 have been overdue since 08:36:00: when the service next gives them up, it becomes completed."
    )
    assert second(behind_a_gap(name="session.verified"), "08:37") == (
        "Number 2 has been overdue since 08:36:00: when the service next gives it up, it stays created."
    )
    assert second(behind_a_gap(4, name="session.verified"), "08:37") == (
        "Numbers 2, 3 have been overdue since 08:36:00: when the service next gives them up, it stays created."
    )


def test_a_second_gap_has_a_wait_of_its_own():
    situation = behind_a_gap(name="session.verified").hear("08:35:30", said(5, "session.completed"))
    assert second(situation, "08:35:40") == "At 08:36:00 number 2 is given up on, and it stays created."


def test_a_second_gap_that_is_older_is_closed_with_the_first():
    situation = behind_a_gap(5).hear("08:35:30", said(3, "session.verified"))
    assert second(situation, "08:35:40") == "At 08:36:00 numbers 2, 4 are given up on, and it becomes completed."


def test_what_is_foreseen_is_what_comes():
    situation = behind_a_gap(7, "session.expired")
    assert second(situation, "08:35:40").endswith("it becomes expired.")
    assert situation.close_gap("08:36").case().state == "expired"


def test_only_a_dead_callback_matters_more():
    dead = callback("crm", "created", "dead", ordinal=1)
    assert second(behind_a_gap(), "08:35:10", callbacks=(dead,)).startswith("The callback to crm (created) is dead")
    pending = callback("crm", "created", ordinal=1, due_at="08:50")
    assert second(behind_a_gap(), "08:35:10", callbacks=(pending,)).startswith("At 08:36:00 number 2 is given up on")


class Counted(tuple):  # noqa: SLOT001 -- it has to count somewhere
    """Counts how often somebody goes through it."""

    looks = 0

    def __iter__(self):
        self.looks += 1
        return super().__iter__()


def test_of_many_gaps_none_goes_through_all_that_came():
    situation = Situation().hear("08:35", *(said(number, "session.verified") for number in range(2, 200, 2)))
    events = Counted(situation.case().events)
    closing = foresee(situation.case(events=events), GAP_TIMEOUT)
    assert closing.numbers == tuple(range(1, 199, 2))
    assert events.looks <= 2
