"""The second sentence: of all that is open about a session, what matters most."""

from memory import said
from situations import STAGES, Situation, attempt, callback, ended

CREATED, COMPLETED = said(1, "session.created"), said(2, "session.completed")


def second(situation, *callbacks, **changes):
    (_, sentence) = situation.summary(callbacks=callbacks, **changes)
    return sentence


def delivered(subscriber="crm", time="08:35:01"):
    return callback(subscriber, status="delivered", delivered_at=time)


def dead(subscriber="crm"):
    return callback(subscriber, status="dead", attempts=[attempt(1, "08:35")])


def test_nobody_was_to_be_told():
    assert second(ended()) == "Nobody was to be told."


def test_the_only_callback_was_delivered():
    assert second(ended(), delivered()) == "The callback to crm (completed) was delivered at 08:35:01."


def test_all_callbacks_were_delivered():
    assert second(ended(), delivered("crm", "08:37"), delivered("mail", "08:36")) == (
        "Its 2 callbacks were delivered, the last at 08:37:00."
    )


def test_a_dead_callback_comes_before_all_else():
    situation = ended().hear("08:36", said(3, "session.expired"), said(2, "session.aborted", "other"))
    assert second(situation, dead("mail"), callback("crm", due_at="08:35"), delivered("log")) == (
        "The callback to mail (completed) is dead: its only attempt at 08:35:00 failed (HTTP 503); it is not sent again"
        " unless somebody retries it."
    )


def test_several_dead_callbacks_are_named():
    assert second(ended(), dead("crm"), dead("mail")) == (
        "2 callbacks are dead, to crm, mail; they are not sent again unless somebody retries them."
    )


def test_a_callback_that_has_not_gone_out_comes_before_what_events_say():
    situation = ended().hear("08:36", said(3, "session.expired"))
    assert second(situation, callback(due_at="08:35")) == (
        "The callback to crm (completed) has been due since 08:35:00, and has not been sent yet."
    )


def test_of_callbacks_that_have_not_gone_out_the_one_that_is_kept_longest_is_told_of():
    due, failed = callback("a", due_at="08:35"), callback("b", attempts=[attempt(1, "08:35")], due_at="09:10")
    assert second(ended(), due, failed).startswith("The callback to b (completed) has not gone out: attempt 1")
    assert second(ended(), due, failed, callback("c", due_at="08:35"), loaded=("a", "b")) == (
        "The callback to c (completed) is held back: no subscriber of that name is loaded now."
    )


def test_a_contradiction_comes_before_a_rejection():
    situation = ended().hear("08:36", said(3, "session.expired"), said(2, "session.aborted", "other"))
    assert second(situation, delivered()) == (
        "Number 2 (session.aborted) contradicts another event, session.completed, that has this number already; it was"
        " kept without effect."
    )
    assert second(situation.hear("08:37", said(1, "session.aborted", "third")), delivered()) == (
        "2 events contradict what was known before, and were kept without effect."
    )


def test_a_rejection_comes_before_what_came_late():
    situation = Situation().hear("08:34", CREATED, said(3, "session.completed")).close_gap("08:35")
    situation.hear("08:36", said(2, "session.expired"), said(4, "session.error"))
    assert second(situation, delivered()) == (
        "Number 4 (session.error) was rejected: number 3 had ended the session as completed already."
    )
    assert second(situation.hear("08:37", said(5, "session.aborted")), delivered()) == (
        "2 events were rejected, the last of them number 5 (session.aborted)."
    )


def test_what_came_late_and_for_nothing_comes_before_what_was_delivered():
    situation = Situation().hear("08:34", CREATED, said(4, "session.completed")).close_gap("08:35")
    situation.hear("08:36", said(2, "session.expired"))
    assert second(situation, delivered()) == (
        "Number 2 (session.expired) came after it had been given up on, and was kept without effect."
    )
    assert second(situation.hear("08:37", said(3, "session.error")), delivered()) == (
        "2 events came after they had been given up on, and were kept without effect."
    )


def test_what_came_late_and_confirmed_is_said_once():
    situation = Situation().hear("08:35", COMPLETED).close_gap("08:36").hear("08:37", CREATED)
    assert second(situation, delivered()) == "The callback to crm (completed) was delivered at 08:35:01."


def test_a_session_on_its_way_may_have_gone_on_without_something():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(3, "x")).close_gap("08:36")
    assert second(situation) == "Number 2 never came, and was given up on."
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(4, "x")).close_gap("08:36")
    assert second(situation) == "Numbers 2, 3 never came, and were given up on."


def test_a_session_on_its_way_may_have_been_inferred_to_it():
    situation = Situation(STAGES).hear("08:34", said(2, "read")).close_gap("08:35")
    assert second(situation) == "Number 1 never came, so that the way to opened was inferred."
    assert second(situation.hear("08:36", said(1, "open"))) == (
        "Number 1 came late, and confirmed what had been inferred."
    )
    situation = Situation(STAGES).hear("08:34", said(3, "weigh")).close_gap("08:35")
    assert second(situation) == "Numbers 1, 2 never came, so that the way to read was inferred."
    assert second(situation.hear("08:36", said(1, "open"), said(2, "read"))) == (
        "Numbers 1, 2 came late, and confirmed what had been inferred."
    )
    situation = Situation(STAGES).hear("08:34", said(1, "read"))
    assert second(situation) == "No event told of the way to opened, so that it was inferred."


def test_of_a_session_on_its_way_with_everybody_told_there_is_nothing_more_to_say():
    assert len(Situation().hear("08:34", CREATED).summary(callbacks=(delivered(),))) == 1
