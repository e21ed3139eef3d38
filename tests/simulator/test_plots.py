from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statekeeper.simulator.plots import Faults, tell
from statekeeper.simulator.stories import ATTEMPTS, DAY, Day, Fault

SEEDS = st.integers(0, 2**64)
NO_FAULTS = Faults().times(0)


def faults_of(day: Day) -> Counter[Fault]:
    return Counter(delivery.fault for story in day.stories for delivery in story.deliveries)


def test_a_seed_reproduces_a_day():
    assert tell(200, 7) == tell(200, 7)
    assert tell(200, 7) != tell(200, 8)


def test_a_story_does_not_depend_on_how_many_others_there_are():
    few, many = tell(20, 7).stories, tell(40, 7).stories
    assert many[: len(few)] == few


def test_a_day_has_every_end_and_every_fault():
    day = tell(500, 1)
    assert {story.state for story in day.stories} >= {"completed", "aborted", "expired", "error", "created", None}
    assert set(faults_of(day)) == set(Fault)
    assert day.deliveries == faults_of(day).total()


def test_a_day_has_the_variants_of_the_providers_pages():
    events = [event for story in tell(500, 1).stories for event in story.events]
    assert {event.status for event in events if event.name == "session.created"} == {"CREATED", "RUNNING"}
    assert {2, "2", "02"} <= {event.written for event in events}
    assert any(event.name == "session.step_completed" for event in events)
    ends = [event for event in events if event.status not in {"CREATED", "RUNNING"}]
    assert {event.step_at_top for event in ends if event.last_step} == {True, False}
    assert any(not event.last_step for event in ends)


def test_without_faults_each_event_comes_once_and_in_time():
    day = tell(100, 7, NO_FAULTS)
    assert len(day.stories) == 100
    assert set(faults_of(day)) == {Fault.NONE}
    for story in day.stories:
        assert [delivery.event for delivery in story.deliveries] == list(story.events)
        assert [delivery.at for delivery in story.deliveries] == [event.at for event in story.events]


@given(SEEDS)
def test_sessions_and_events_are_distinct(seed: int):
    stories = tell(20, seed, Faults(forged=1)).stories
    ids = [delivery.event.event_id for story in stories for delivery in story.deliveries]
    assert len({story.session_id for story in stories}) == len(stories)
    assert len({event.event_id for story in stories for event in story.events}) <= len(set(ids))


@given(SEEDS)
def test_no_event_is_tried_more_often_than_the_provider_does(seed: int):
    for story in tell(20, seed, Faults(dropped=0.5, repeated=1)).stories:
        for event in story.events:
            attempts = [delivery.attempt for delivery in story.deliveries if delivery.event == event]
            assert attempts in ([1, 2, 3], [ATTEMPTS])


@given(SEEDS)
def test_events_are_numbered_from_one_and_happen_in_that_order(seed: int):
    for story in tell(20, seed, NO_FAULTS).stories:
        assert [event.sequence for event in story.events] == list(range(1, len(story.events) + 1))
        assert all(before.at < after.at for before, after in pairwise(story.events))
        assert all(int(event.written) == event.sequence for event in story.events)
        assert 0 <= story.events[0].at <= story.events[-1].at < DAY


@given(SEEDS)
def test_deliveries_are_planned_in_the_order_of_time(seed: int):
    for story in tell(20, seed, Faults(0.5, 0.5, 0.5, 0.5, 0.1, 0.5)).stories:
        assert all(before.at <= after.at for before, after in pairwise(story.deliveries))


def test_a_reordered_event_comes_behind_its_successor():
    for story in tell(50, 7, Faults(reordered=1, delayed=0, repeated=0, dropped=0, lost=0, forged=0)).stories:
        places = {delivery.event.event_id: place for place, delivery in enumerate(story.deliveries)}
        order = [places[event.event_id] for event in story.events]
        assert order[-2:] == sorted(order[-2:], reverse=True) or len(order) == 1


def test_an_event_can_be_lost_for_good():
    day = tell(20, 7, Faults(lost=1, forged=0))
    assert set(faults_of(day)) == {Fault.LOST}
    assert {story.state for story in day.stories} == {None}


def test_forgers_speak_of_other_ends_and_of_sessions_that_never_were():
    stories = tell(100, 7, Faults(forged=1)).stories
    phantoms = [story for story in stories if not story.events]
    assert len(stories) == 100 + len(phantoms) > 100
    assert {story.state for story in phantoms} == {None}
    for story in stories:
        forged = [delivery for delivery in story.deliveries if delivery.fault is Fault.FORGED]
        assert len(forged) == 1
        assert forged[0].forgery
        assert forged[0].event.name != f"session.{story.end}"
        assert forged[0].event not in story.events


def test_the_issuer_rotates_its_key_while_there_is_something_to_sign():
    [rotation] = tell(100, 7).rotations
    assert 0 < rotation < DAY
    assert not tell(0, 7).rotations


def test_odds_are_at_most_one():
    assert Faults(0.5, 0.1, 0, 0, 0, 0).times(3) == Faults(1.0, 0.1 * 3, 0, 0, 0, 0)
