"""Whatever keeps a callback from going out."""

import pytest

from situations import GAP_TIMEOUT, Circumstances, at, attempt, callback, ended, told_of
from statekeeper.core.health import Health
from statekeeper.explanation.obstacles import DISABLED, NOT_LOADED, tell_obstacle


def test_a_callback_whose_subscriber_is_not_loaded():
    sentence = "The callback to crm (completed) is held back: no subscriber of that name is loaded now."
    kept = callback(due_at="08:35")
    assert told_of(kept, loaded=("mail",)) == sentence
    assert told_of(kept, loaded=()) == sentence
    assert told_of(kept, loaded=("crm",)) != sentence
    assert told_of(kept, loaded=None) != sentence


def test_a_callback_whose_endpoint_is_disabled():
    health = Health(disabled_at=at("08:50"), disabled_reason="HTTP 410")
    assert told_of(callback(due_at="08:35"), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has been disabled since 08:50:00 (HTTP 410)."
    )


@pytest.mark.parametrize(("due", "next_at"), [("08:35", "09:00:20"), ("09:05", "09:05:00")])
def test_a_callback_whose_endpoints_circuit_is_open(due, next_at):
    health = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"))
    assert told_of(callback(due_at=due), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has failed since 08:40:00; it is tried again at"
        f" {next_at}."
    )


def test_a_callback_whose_endpoint_is_being_tried():
    health = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"), probed_at=at("08:59:40"))
    assert told_of(callback(due_at="08:35"), healths={"crm": health}) == (
        "The callback to crm (completed) is held back: the endpoint has failed since 08:40:00, and is being tried with"
        " another callback."
    )


def test_a_callback_is_not_held_back_by_the_health_of_another_endpoint_nor_by_few_failures():
    healths = {"mail": Health(disabled_at=at("08:50")), "crm": Health(3, at("08:40"))}
    kept = callback(due_at="08:35")
    assert told_of(kept, healths=healths) == told_of(kept)


def test_what_keeps_a_callback_keeps_one_that_was_interrupted_too():
    kept = callback(claimed_at="08:58", due_at="08:59")
    failing = Health(20, at("08:40"), at("08:45"), probe_at=at("09:00:20"))
    assert "no subscriber of that name is loaded" in told_of(kept, loaded=())
    assert "has been disabled" in told_of(kept, healths={"crm": Health(disabled_at=at("08:50"))})
    assert "it is tried again at 09:00:20" in told_of(kept, healths={"crm": failing})


def test_a_callback_that_was_interrupted_as_the_probe_of_its_endpoint_is_not_kept_by_another():
    probing = Health(20, at("08:40"), at("08:45"), probe_at=at("08:59"), probed_at=at("08:58"))
    assert "was interrupted" in told_of(callback(claimed_at="08:58", due_at="08:59"), healths={"crm": probing})


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
