"""Why a callback is where it is."""

import pytest

from situations import GAP_TIMEOUT, Circumstances, at, attempt, callback, ended
from statekeeper.core.health import Health
from statekeeper.explanation.deliveries import DISABLED, NOT_LOADED, tell_obstacle


def told(kept, **circumstances):
    (sentence,) = ended().told(kept, **circumstances)
    return sentence


def test_a_callback_that_was_delivered_at_once():
    kept = callback(status="delivered", attempts=[attempt(1, "08:35", "delivered", None)], delivered_at="08:35:01")
    assert told(kept) == "The callback to crm (completed) was delivered at 08:35:01."


def test_a_callback_that_was_delivered_after_failures():
    attempts = [attempt(1, "08:35"), attempt(2, "08:36"), attempt(3, "08:37", "delivered", None)]
    kept = callback(status="delivered", attempts=attempts, delivered_at="08:37:01")
    assert told(kept) == "The callback to crm (completed) was delivered at 08:37:01, at attempt 3."


def test_a_callback_that_is_dead_after_its_whole_schedule():
    kept = callback(status="dead", attempts=[attempt(1, "08:35"), attempt(2, "08:36", detail="timeout")])
    assert told(kept) == (
        "The callback to crm (completed) is dead after 2 attempts, the last of which failed at 08:36:00 (timeout); it"
        " is not sent again unless somebody retries it."
    )


def test_a_callback_that_is_dead_after_one_attempt():
    assert told(callback(status="dead", attempts=[attempt(1, "08:35")])) == (
        "The callback to crm (completed) is dead: its only attempt at 08:35:00 failed (HTTP 503); it is not sent again"
        " unless somebody retries it."
    )


def test_a_callback_that_was_given_up_on():
    kept = callback("business:open_account", status="dead", attempts=[attempt(1, "08:35", "gave_up", "no such case")])
    assert told(kept) == (
        "The callback to business:open_account (completed) is dead: attempt 1 at 08:35:00 ended it (no such case); it"
        " is not sent again unless somebody retries it."
    )


def test_an_attempt_that_gave_no_reason_is_told_by_its_outcome():
    assert "ended it (gave_up)" in told(callback(status="dead", attempts=[attempt(1, "08:35", "gave_up", None)]))


def test_a_callback_whose_subscriber_was_removed():
    assert told(callback(status="dead")) == (
        "The callback to crm (completed) is dead: the subscriber was removed before it went out; it is not sent unless"
        " somebody retries it."
    )


def test_a_callback_whose_attempt_is_under_way():
    kept = callback(claimed_at="08:59:50", due_at="09:00:40")
    assert told(kept) == "An attempt at the callback to crm (completed) has been under way since 08:59:50."


def test_a_callback_whose_attempt_was_interrupted():
    kept = callback(claimed_at="08:58", due_at="08:59")
    assert told(kept) == (
        "The callback to crm (completed) was interrupted in an attempt at 08:58:00; the service makes another as soon"
        " as it comes to it."
    )


def test_a_callback_whose_subscriber_is_not_loaded():
    sentence = "The callback to crm (completed) is held back: no subscriber of that name is loaded now."
    kept = callback(due_at="08:35")
    assert told(kept, loaded=("mail",)) == sentence
    assert told(kept, loaded=()) == sentence
    assert told(kept, loaded=("crm",)) != sentence
    assert told(kept, loaded=None) != sentence


def test_a_callback_whose_endpoint_is_disabled():
    health = Health(disabled_at=at("08:50"), disabled_reason="HTTP 410")
    assert told(callback(due_at="08:35"), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has been disabled since 08:50:00 (HTTP 410)."
    )


@pytest.mark.parametrize(("due", "next_at"), [("08:35", "09:00:20"), ("09:05", "09:05:00")])
def test_a_callback_whose_endpoints_circuit_is_open(due, next_at):
    health = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"))
    assert told(callback(due_at=due), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has failed since 08:40:00; it is tried again at"
        f" {next_at}."
    )


def test_a_callback_whose_endpoint_is_being_tried():
    health = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"), probed_at=at("08:59:40"))
    assert told(callback(due_at="08:35"), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has failed since 08:40:00, and is being tried with"
        " another callback."
    )


def test_a_callback_is_not_held_back_by_the_health_of_another_endpoint_nor_by_few_failures():
    healths = {"mail": Health(disabled_at=at("08:50")), "crm": Health(3, at("08:40"))}
    kept = callback(due_at="08:35")
    assert told(kept, healths=healths) == told(kept)


def test_a_callback_that_failed_and_is_tried_again_later():
    assert told(callback(attempts=[attempt(1, "08:35"), attempt(2, "08:40")], due_at="09:10")) == (
        "The callback to crm (completed) has not gone out: attempt 2 at 08:40:00 failed (HTTP 503); the next is due"
        " at 09:10:00."
    )


def test_a_callback_that_failed_and_is_due_again():
    assert told(callback(attempts=[attempt(1, "08:35")], due_at="09:00")) == (
        "The callback to crm (completed) has not gone out: attempt 1 at 08:35:00 failed (HTTP 503); the next has been"
        " due since 09:00:00."
    )


def test_a_callback_that_nobody_has_tried_yet():
    assert told(callback(due_at="08:35")) == (
        "The callback to crm (completed) has been due since 08:35:00, and has not been sent yet."
    )
    assert told(callback(due_at="09:10")) == "The callback to crm (completed) goes out at 09:10:00."


def test_a_callback_that_is_sent_a_second_time():
    delivered = [attempt(1, "08:35", "delivered", None)]
    assert told(callback(attempts=delivered, delivered_at="08:35:01", due_at="09:10")) == (
        "The callback to crm (completed) was delivered at 08:35:01, and goes out once more at 09:10:00."
    )
    assert told(callback(attempts=delivered, delivered_at="08:35:01", due_at="08:59")) == (
        "The callback to crm (completed) was delivered at 08:35:01, and is to be sent once more: it has been due since"
        " 08:59:00."
    )


@pytest.mark.parametrize(
    ("due", "said"), [("09:10", "the next is due at 09:10:00."), ("08:59", "the next has been due since 08:59:00.")]
)
def test_a_callback_that_failed_when_it_was_sent_a_second_time_has_been_delivered_all_the_same(due, said):
    attempts = [attempt(1, "08:35", "delivered", None), attempt(2, "08:50")]
    assert told(callback(attempts=attempts, delivered_at="08:35:01", due_at=due)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and is to be sent once more: attempt 2 at 08:50:00"
        f" failed (HTTP 503); {said}"
    )


def test_a_callback_that_died_when_it_was_sent_a_second_time_has_been_delivered_all_the_same():
    delivered = attempt(1, "08:35", "delivered", None)
    kept = {"status": "dead", "delivered_at": "08:35:01"}
    assert told(callback(attempts=[delivered, attempt(2, "08:50")], **kept)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and could not be sent once more: attempt 2 at"
        " 08:50:00 failed (HTTP 503); it is not sent again unless somebody retries it."
    )
    assert told(callback(attempts=[delivered], **kept)) == (
        "The callback to crm (completed) was delivered at 08:35:01, and was not sent once more: the subscriber was"
        " removed; it is not sent again unless somebody retries it."
    )


def test_a_callback_that_was_delivered_a_second_time():
    attempts = [attempt(1, "08:35"), attempt(2, "08:36", "delivered", None), attempt(3, "08:50", "delivered", None)]
    assert told(callback(status="delivered", attempts=attempts, delivered_at="08:50:01")) == (
        "The callback to crm (completed) was delivered 2 times, first at attempt 2, and last at 08:50:01."
    )


def test_what_keeps_a_callback_keeps_one_that_was_interrupted_too():
    kept = callback(claimed_at="08:58", due_at="08:59")
    failing = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"))
    assert "no subscriber of that name is loaded" in told(kept, loaded=())
    assert "has been disabled" in told(kept, healths={"crm": Health(disabled_at=at("08:50"))})
    assert "it is tried again at 09:00:20" in told(kept, healths={"crm": failing})


def test_a_callback_that_was_interrupted_as_the_probe_of_its_endpoint_is_not_kept_by_another():
    probing = Health(20, at("08:40"), at("08:45"), probe_at=at("08:59"), probed_at=at("08:58"))
    assert "was interrupted" in told(callback(claimed_at="08:58", due_at="08:59"), healths={"crm": probing})


def test_a_callback_that_waits_for_an_earlier_one():
    earlier = callback(state="created", ordinal=1, attempts=[attempt(1, "08:35")], due_at="09:10")
    later, other = callback(due_at="08:35"), callback("mail", due_at="08:35")
    assert ended().told(earlier, later, other) == [
        (
            "The callback to crm (created) has not gone out: attempt 1 at 08:35:00 failed (HTTP 503); the next is due"
            " at 09:10:00."
        ),
        "The callback to crm (completed) waits for the one before it, about created, to the same subscriber.",
        "The callback to mail (completed) has been due since 08:35:00, and has not been sent yet.",
    ]


@pytest.mark.parametrize("status", ["delivered", "dead"])
def test_a_callback_does_not_wait_for_an_earlier_one_that_is_settled(status):
    earlier = callback(state="created", ordinal=1, status=status)
    assert ended().told(earlier, callback(due_at="08:35"))[1].endswith("has not been sent yet.")


def test_what_would_keep_a_callback_that_somebody_has_sent():
    kept = callback(status="dead", attempts=[attempt(1, "08:35", "gave_up", "HTTP 410")])
    disabled = {"crm": Health(disabled_at=at("08:50"), disabled_reason="HTTP 410")}

    def obstacle(loaded=None, **changes):
        case = ended().case(callbacks=(kept,), **changes)
        told = tell_obstacle(case, kept.callback_id, Circumstances(at("09:00"), GAP_TIMEOUT, loaded))
        return told and told.text

    assert obstacle() is None
    assert obstacle(healths=disabled) == DISABLED
    assert obstacle(loaded=()) == NOT_LOADED
