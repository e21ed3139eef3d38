from dataclasses import replace
from uuid import UUID

from statekeeper.demo.expectations import Expectations
from statekeeper.demo.subscribers import Notice
from statekeeper.resources import default_chart
from statekeeper.simulator.stories import Day, Delivery, Fault, Forgery, Story, StoryEvent

CHART = default_chart()
ID = UUID(int=1)
CREATED = StoryEvent("e1", "session.created", 1, at=0, status="CREATED", written="1")
ENDED = StoryEvent("e2", "session.completed", 2, at=60, status="COMPLETED", written="2")
LIE = StoryEvent("e3", "session.error", 2, at=70, status="ERROR", written="2")
FORGED = Delivery(70, LIE, fault=Fault.FORGED, forgery=Forgery.WRONG_KEY)
STORY = Story(ID, "flow", "live", "completed", (CREATED, ENDED), (Delivery(0, CREATED), Delivery(60, ENDED), FORGED))
PHANTOM = Story(UUID(int=2), "flow", "live", None, (), (FORGED,))


def expect(story: Story, taken: set[str]) -> Expectations:
    return Expectations.of(Day((story, PHANTOM)), taken, CHART)


def test_what_was_taken_says_which_sessions_there_are_and_where():
    assert expect(STORY, {"e1", "e2"}).states == {ID: "completed"}
    assert expect(STORY, {"e1"}).states == {ID: "created"}
    assert expect(STORY, set()).states == {}


def test_only_events_of_the_sender_that_were_taken_may_be_there():
    assert expect(STORY, {"e1"}).events == {ID: {"e1"}}
    assert expect(STORY, {"e1"}).forged == {"e3"}


def test_a_live_session_that_completed_is_told_to_everybody():
    names = {"crm", "note_every_end", "open_account"}
    assert expect(STORY, {"e2"}).notices == {Notice(name, ID, "completed") for name in names}


def test_any_other_end_is_told_to_those_who_want_every_end():
    names = {"crm", "note_every_end"}
    staging, aborted = replace(STORY, environment="staging"), replace(ENDED, name="session.aborted")
    assert expect(staging, {"e2"}).notices == {Notice(name, ID, "completed") for name in names}
    story = replace(STORY, end="aborted", events=(CREATED, aborted))
    assert expect(story, {"e2"}).notices == {Notice(name, ID, "aborted") for name in names}


def test_a_session_that_has_not_ended_is_told_to_nobody():
    assert expect(STORY, {"e1"}).notices == set()
