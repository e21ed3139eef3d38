"""Why a callback is where it is."""

import pytest

from situations import attempt, callback, told_of


def test_a_callback_that_was_delivered_at_once():
    kept = callback(status="delivered", attempts=[attempt(1, "08:35", "delivered", None)], delivered_at="08:35:01")
    assert told_of(kept) == "The callback to crm (completed) was delivered at 08:35:01."


def test_a_callback_that_was_delivered_after_failures():
    attempts = [attempt(1, "08:35"), attempt(2, "08:36"), attempt(3, "08:37", "delivered", None)]
    kept = callback(status="delivered", attempts=attempts, delivered_at="08:37:01")
    assert told_of(kept) == "The callback to crm (completed) was delivered at 08:37:01, at attempt 3."


def test_a_callback_that_is_dead_after_its_whole_schedule():
    kept = callback(status="dead", attempts=[attempt(1, "08:35"), attempt(2, "08:36", detail="timeout")])
    assert told_of(kept) == (
        "The callback to crm (completed) is dead after 2 attempts, the last of which failed at 08:36:00 (timeout); it"
        " is not sent again unless somebody retries it."
    )


def test_a_callback_that_is_dead_after_one_attempt():
    assert told_of(callback(status="dead", attempts=[attempt(1, "08:35")])) == (
        "The callback to crm (completed) is dead: its only attempt at 08:35:00 failed (HTTP 503); it is not sent again"
        " unless somebody retries it."
    )


def test_a_callback_that_was_given_up_on():
    kept = callback("business:open_account", status="dead", attempts=[attempt(1, "08:35", "gave_up", "no such case")])
    assert told_of(kept) == (
        "The callback to business:open_account (completed) is dead: attempt 1 at 08:35:00 ended it (no such case); it"
        " is not sent again unless somebody retries it."
    )


def test_an_attempt_that_gave_no_reason_is_told_by_its_outcome():
    assert "ended it (gave_up)" in told_of(callback(status="dead", attempts=[attempt(1, "08:35", "gave_up", None)]))


def test_a_callback_whose_subscriber_was_removed():
    assert told_of(callback(status="dead")) == (
        "The callback to crm (completed) is dead: the subscriber was removed before it went out; it is not sent unless"
        " somebody retries it."
    )


def test_a_callback_whose_subscriber_was_removed_while_it_was_tried():
    kept = callback(status="dead", attempts=[attempt(1, "08:35")], buried_at="08:36")
    assert told_of(kept) == (
        "The callback to crm (completed) is dead: attempt 1 at 08:35:00 had failed (HTTP 503) when the subscriber was"
        " removed, at 08:36:00; it is not sent again unless somebody retries it."
    )


def test_a_callback_that_was_to_be_sent_once_more_when_its_subscriber_was_removed():
    attempts = [attempt(1, "08:35", "delivered", None), attempt(2, "08:36")]
    kept = callback(status="dead", attempts=attempts, delivered_at="08:35", buried_at="08:37")
    assert told_of(kept) == (
        "The callback to crm (completed) was delivered at 08:35:00, and was not sent once more: the subscriber was"
        " removed; it is not sent again unless somebody retries it."
    )


def test_a_callback_whose_attempt_is_under_way():
    kept = callback(claimed_at="08:59:50", due_at="09:00:40")
    assert told_of(kept) == "An attempt at the callback to crm (completed) has been under way since 08:59:50."


def test_a_callback_whose_attempt_was_interrupted():
    kept = callback(claimed_at="08:58", due_at="08:59")
    assert told_of(kept) == (
        "The callback to crm (completed) was interrupted in an attempt at 08:58:00; the service makes another as soon"
        " as it comes to it."
    )


def test_a_callback_that_failed_and_is_tried_again_later():
    assert told_of(callback(attempts=[attempt(1, "08:35"), attempt(2, "08:40")], due_at="09:10")) == (
        "The callback to crm (completed) has not gone out: attempt 2 at 08:40:00 failed (HTTP 503); the next is due"
        " at 09:10:00."
    )


def test_a_callback_that_failed_and_is_due_again():
    assert told_of(callback(attempts=[attempt(1, "08:35")], due_at="09:00")) == (
        "The callback to crm (completed) has not gone out: attempt 1 at 08:35:00 failed (HTTP 503); the next has been"
        " due since 09:00:00."
    )


def test_a_callback_that_nobody_has_tried_yet():
    assert told_of(callback(due_at="08:35")) == (
        "The callback to crm (completed) has been due since 08:35:00, and has not been sent yet."
    )
    assert told_of(callback(due_at="09:10")) == "The callback to crm (completed) goes out at 09:10:00."


def test_a_callback_that_is_sent_a_second_time():
    delivered = [attempt(1, "08:35", "delivered", None)]
    assert told_of(callback(attempts=delivered, delivered_at="08:35:01", due_at="09:10")) == (
        "The callback to crm (completed) was delivered at 08:35:01, and goes out once more at 09:10:00."
    )
    assert told_of(callback(attempts=delivered, delivered_at="08:35:01", due_at="08:59")) == (
        "The callback to crm (completed) was delivered at 08:35:01, and is to be sent once more: it has been due since"
        " 08:59:00."
    )


@pytest.mark.parametrize(
    ("due", "said"), [("09:10", "the next is due at 09:10:00."), ("08:59", "the next has been due since 08:59:00.")]
)
def test_a_callback_that_failed_when_it_was_sent_a_second_time_has_been_delivered_all_the_same(due, said):
    attempts = [attempt(1, "08:35", "delivered", None), attempt(2, "08:50")]
    assert told_of(callback(attempts=attempts, delivered_at="08:35:01", due_at=due)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and is to be sent once more: attempt 2 at 08:50:00"
        f" failed (HTTP 503); {said}"
    )


def test_a_callback_that_died_when_it_was_sent_a_second_time_has_been_delivered_all_the_same():
    delivered = attempt(1, "08:35", "delivered", None)
    kept = {"status": "dead", "delivered_at": "08:35:01"}
    assert told_of(callback(attempts=[delivered, attempt(2, "08:50")], **kept)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and could not be sent once more: attempt 2 at"
        " 08:50:00 failed (HTTP 503); it is not sent again unless somebody retries it."
    )
    assert told_of(callback(attempts=[delivered], **kept)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and was not sent once more: the subscriber was"
        " removed; it is not sent again unless somebody retries it."
    )


def test_a_callback_that_was_delivered_a_second_time():
    attempts = [attempt(1, "08:35"), attempt(2, "08:36", "delivered", None), attempt(3, "08:50", "delivered", None)]
    assert told_of(callback(status="delivered", attempts=attempts, delivered_at="08:50:01")) == (
        "The callback to crm (completed) was delivered 2 times, first at attempt 2, and last at 08:50:01."
    )
