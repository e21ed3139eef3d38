from uuid import UUID

import pytest

from statekeeper.simulator.stories import Delivery, Fault, Forgery, Story, StoryEvent
from statekeeper.simulator.tally import Answer, Tally

EVENT = StoryEvent("e1", "session.created", 1, at=0, status="CREATED", written="1")
GENUINE = Delivery(0, EVENT)
REPEAT = Delivery(1, EVENT, 2, Fault.REPEATED)
FORGED = Delivery(0, EVENT, 1, Fault.FORGED, Forgery.NO_SIGNATURE)
STORY = Story(UUID(int=1), "flow", "live", None, (EVENT,), (GENUINE, REPEAT, FORGED))
TAKEN, REFUSED, AWAY, BUSY, BROKEN = (
    Answer(200, "200", "applied"),
    Answer(401, "401"),
    Answer(None, "ConnectError"),
    Answer(503, "503"),
    Answer(500, "500"),
)


def ends(*pairs: tuple[Delivery, Answer]) -> Tally:
    tally = Tally()
    for delivery, answer in pairs:
        tally.count_end(STORY, delivery, answer)
    return tally


@pytest.mark.parametrize(
    ("answer", "passing", "refused"),
    [
        (TAKEN, False, False),
        (Answer(204, "204"), False, False),
        (Answer(302, "302"), False, True),
        (REFUSED, False, True),
        (BUSY, True, True),
        (AWAY, True, True),
    ],
)
def test_an_answer_is_taken_or_refused_or_passing(answer: Answer, passing: bool, refused: bool):
    assert (answer.passing, answer.refused) == (passing, refused)


def test_a_sender_expects_its_events_to_be_taken_and_forgeries_to_be_refused():
    tally = ends((GENUINE, TAKEN), (FORGED, REFUSED))
    assert tally.as_expected
    assert tally.taken == {"e1"}
    assert tally.refused == {"algorithm none": 1}


@pytest.mark.parametrize("answer", [REFUSED, BUSY, AWAY, BROKEN])
def test_an_event_that_is_not_taken_is_a_failure(answer: Answer):
    tally = ends((GENUINE, answer))
    assert not tally.as_expected
    assert str(tally.failures[0]) == f"session {UUID(int=1)}: session.created, {answer}"


@pytest.mark.parametrize("answer", [TAKEN, BUSY, AWAY, BROKEN])
def test_a_forgery_that_is_not_refused_is_a_failure(answer: Answer):
    tally = ends((FORGED, answer))
    assert not tally.as_expected
    assert str(tally.failures[0]) == f"session {UUID(int=1)}: forged (algorithm none), {answer}"


def test_where_nobody_answered_that_is_said():
    assert (str(AWAY), str(BUSY)) == ("no answer: ConnectError", "answered 503")


@pytest.mark.parametrize("answer", [BUSY, AWAY])
def test_a_service_that_is_away_has_lost_nothing_where_the_event_was_taken_before(answer: Answer):
    assert ends((GENUINE, TAKEN), (REPEAT, answer)).as_expected
    assert not ends((GENUINE, TAKEN), (REPEAT, BROKEN)).as_expected
    assert not ends((GENUINE, TAKEN), (FORGED, answer)).as_expected


@pytest.mark.parametrize("answer", [REFUSED, BUSY, AWAY, BROKEN])
def test_an_event_that_is_taken_in_the_end_is_no_failure(answer: Answer):
    assert ends((GENUINE, answer), (REPEAT, TAKEN)).as_expected
    assert not ends((FORGED, BROKEN), (GENUINE, TAKEN)).as_expected


def test_an_event_that_is_never_taken_is_told_once_by_its_last_answer():
    told = [str(failure) for failure in ends((GENUINE, BUSY), (REPEAT, AWAY)).failures]
    assert told == [f"session {UUID(int=1)}: session.created, no answer: ConnectError"]


def test_what_leaves_again_is_counted_apart():
    tally = Tally()
    tally.count_departure(GENUINE)
    tally.count_departure(GENUINE, again=True)
    tally.count_departure(REPEAT)
    assert (tally.sent, tally.retried, tally.faults[Fault.REPEATED]) == (1, 1, 1)


def test_counts_are_told_as_json():
    tally = ends((GENUINE, TAKEN), (FORGED, BROKEN))
    tally.count_departure(GENUINE)
    tally.count_answer(TAKEN)
    assert tally.to_json() == {
        "sent": 1,
        "taken": 1,
        "reordered": 0,
        "delayed": 0,
        "repeated": 0,
        "dropped": 0,
        "lost": 0,
        "forged": 0,
        "retried": 0,
        "requests": 1,
        "answers": {"200": 1},
        "dispositions": {"applied": 1},
        "refused": {},
        "failures": [f"session {UUID(int=1)}: forged (algorithm none), answered 500"],
        "asExpected": False,
    }
