from http import HTTPStatus
from random import Random

import pytest

from posted import OTHER, SECRET, body_of, ended, signed
from statekeeper.simulator.endpoint import Habits, PracticeEndpoint
from statekeeper.simulator.listener import Request


def request(number=1, secret=SECRET, method="POST"):
    body = body_of(ended(number, state="error"))
    return Request(method, "/", signed(body, secret, number=number), body)


def endpoint(seed=1, **habits):
    return PracticeEndpoint((SECRET,), Habits(**habits), Random(seed))


def statuses(listening, count=30):
    return [listening.hear(request(number)).status for number in range(count)]


def test_a_callback_is_taken():
    heard = endpoint().hear(request())
    assert (heard.status, heard.repeat, heard.reason) == (200, False, None)
    assert heard.delivery.ended.state == "error"
    assert heard.reply.document is None


def test_the_same_callback_again_is_a_repeat():
    listening = endpoint()
    assert [listening.hear(request(number)).repeat for number in (1, 2, 1, 1)] == [False, False, True, True]


def test_what_cannot_be_believed_is_refused_and_told_why():
    heard = endpoint(receipt="thanks", delay=9, hang=1).hear(request(secret=OTHER))
    assert (heard.status, heard.delivery) == (401, None)
    assert heard.reply.document == {"detail": heard.reason} == {"detail": "No matching signature found"}
    assert heard.reply.after == 0


def test_another_method_is_told_which_one_is_right():
    heard = endpoint().hear(request(method="GET"))
    assert (heard.status, heard.reply.headers) == (405, {"Allow": "POST"})


def test_a_receipt_goes_with_a_yes_and_retry_after_with_a_no():
    yes, no = (
        endpoint(status=status, receipt="B-1", retry_after=0).hear(request()).reply
        for status in (HTTPStatus.ACCEPTED, HTTPStatus.GONE)
    )
    assert (yes.document, yes.headers) == ({"receipt": "B-1"}, {})
    assert (no.document, no.headers) == (None, {"Retry-After": "0"})


def test_a_share_fails_and_a_share_hangs_and_a_seed_says_which():
    listening = endpoint(fail=0.33, hang=0.2)
    seen = statuses(listening)
    assert set(seen) == {200, 500, None}
    assert seen == statuses(endpoint(fail=0.33, hang=0.2))
    assert seen != statuses(endpoint(seed=2, fail=0.33, hang=0.2))


def test_which_fail_does_not_depend_on_whether_some_hang():
    both, failing = statuses(endpoint(fail=0.5, hang=0.2)), statuses(endpoint(fail=0.5))
    assert all(status in {each, None} for status, each in zip(both, failing, strict=True))


@pytest.mark.parametrize(("habits", "status"), [({"fail": 1.0}, 500), ({"hang": 1.0}, None), ({}, 200)])
def test_all_or_none(habits, status):
    assert set(statuses(endpoint(**habits))) == {status}


def test_a_delay_is_part_of_the_answer():
    assert endpoint(delay=2.5).hear(request()).reply.after == 2.5


def test_counts_say_what_came_and_what_was_answered():
    listening = endpoint()
    for each in (request(1), request(1), request(2), request(3, secret=OTHER), request(4, method="PUT")):
        listening.hear(each)
    listening.habits = Habits(hang=1)
    listening.hear(request(2))
    assert listening.counts() == {
        "requests": 6,
        "callbacks": 2,
        "repeats": 2,
        "unverified": 1,
        "unanswered": 1,
        "answers": {"200": 3, "401": 1, "405": 1},
    }


def test_secrets_do_not_show():
    assert SECRET not in repr(endpoint())
