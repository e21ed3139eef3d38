"""The fold, disposition by disposition, as the contract words them."""

from dataclasses import replace

import pytest

from memory import MemorySession, again, ended_at, said
from statekeeper.core.callbacks import encode
from statekeeper.core.machine import Cause, Disposition, Known, Origin, Snapshot, advance, close_gap
from statekeeper.core.statechart import Statechart
from statekeeper.resources import default_chart

APPLIED, HELD, DUPLICATE, CONFLICT, LATE, IGNORED, REJECTED = (
    Disposition.APPLIED,
    Disposition.HELD,
    Disposition.DUPLICATE,
    Disposition.CONFLICT,
    Disposition.LATE,
    Disposition.IGNORED,
    Disposition.REJECTED,
)
IDNOW = default_chart()
REVIEW = Statechart.compile(
    {
        "id": "review",
        "initial": "new",
        "states": {
            "new": {"on": {"open": "opened"}},
            "opened": {"on": {"read": "being-read", "withdraw": "withdrawn"}},
            "being-read": {"on": {"ask": "opened", "weigh": "weighed", "note": "being-read", "renew": "new"}},
            "weighed": {"on": {"accept": "accepted", "note": "weighed"}},
            "accepted": {"type": "final"},
            "withdrawn": {"type": "final"},
        },
    }
)
CREATED = said(1, "session.created")
COMPLETED = said(2, "session.completed")


@pytest.fixture
def session():
    return MemorySession(IDNOW)


@pytest.fixture
def review():
    return MemorySession(REVIEW)


def told(session):
    """The history in short: trigger, and the number that bears it or None."""
    return [(step.trigger, step.event.sequence if step.event else None) for step in session.steps]


def test_a_session_is_pending_until_something_is_applied(session):
    snapshot = session.snapshot
    assert (snapshot.state, snapshot.cursor, snapshot.held, snapshot.missing) == ("pending", 0, (), [])
    assert snapshot.contiguous
    assert snapshot.last_step is None


class TestInTurn:
    def test_an_event_that_the_chart_allows_is_applied(self, session):
        assert session.hear(CREATED) is APPLIED
        assert (session.snapshot.state, session.snapshot.cursor) == ("created", 1)
        assert session.hear(COMPLETED) is APPLIED
        assert (session.snapshot.state, session.snapshot.cursor) == ("completed", 2)
        assert [(step.ordinal, step.source, step.target, step.trigger, step.cause) for step in session.steps] == [
            (1, "pending", "created", "session.created", Cause.EVENT),
            (2, "created", "completed", "session.completed", Cause.EVENT),
        ]
        assert [step.reason for step in session.steps] == [None, None]

    def test_an_event_that_the_chart_does_not_know_is_ignored_and_the_cursor_moves_on(self, session):
        assert session.hear(said(1, "session.verified")) is IGNORED
        assert (session.snapshot.state, session.snapshot.cursor) == ("pending", 1)
        assert session.hear(said(2, "session.created")) is APPLIED

    def test_an_event_that_the_chart_does_not_allow_is_rejected_and_the_cursor_moves_on(self, session):
        session.hear(CREATED)
        assert session.hear(said(2, "session.created")) is REJECTED
        assert (session.snapshot.state, session.snapshot.cursor) == ("created", 2)
        assert session.hear(said(3, "session.completed")) is APPLIED

    def test_the_name_alone_moves_the_chart(self, session):
        assert session.hear(said(1, "session.created", session_status="RUNNING")) is APPLIED
        assert session.hear(said(2, "session.error", session_status="COMPLETED")) is APPLIED
        assert session.snapshot.state == "error"


class TestHeld:
    def test_an_event_with_a_gap_before_it_is_held(self, session):
        assert session.hear(said(4, "session.completed")) is HELD
        assert session.hear(said(2, "unknown")) is HELD
        assert (session.snapshot.state, session.snapshot.cursor) == ("pending", 0)
        assert [event.sequence for event in session.snapshot.held] == [2, 4]
        assert session.snapshot.missing == [1, 3]
        assert session.steps == []

    def test_what_is_held_is_let_through_behind_the_missing_one(self, session):
        session.hear(said(4, "session.completed"))
        session.hear(said(2, "unknown"))
        assert session.hear(CREATED) is APPLIED
        assert session.became == {"event-1": APPLIED, "event-2": IGNORED, "event-4": HELD}
        assert session.snapshot.missing == [3]
        assert session.hear(said(3, "session.created")) is REJECTED
        assert session.became["event-4"] is APPLIED
        assert (session.snapshot.state, session.snapshot.cursor, session.snapshot.contiguous) == ("completed", 4, True)

    def test_progress_tells_what_was_settled_and_not_what_still_waits(self):
        held = (said(2, "session.completed"), said(9, "unknown"))
        before = Snapshot(CREATED.session_id, "pending", held=held)
        progress = advance(IDNOW, before, Known(), CREATED)
        assert progress.before is before
        assert progress.settled == ((held[0], APPLIED), (held[1], IGNORED))
        progress = advance(IDNOW, replace(before, held=held[1:]), Known(), CREATED)
        assert progress.settled == ()
        assert progress.after.held == held[1:]


class TestDuplicate:
    def test_the_same_facts_under_the_same_id_change_nothing(self, session):
        for event in (CREATED, again(CREATED), COMPLETED):
            session.hear(event)
        before = session.snapshot
        assert session.hear(again(CREATED)) is DUPLICATE
        assert session.hear(replace(COMPLETED, last_step=ended_at("other"), version="2.0")) is DUPLICATE
        assert session.snapshot is before

    @pytest.mark.parametrize("name", ["session.completed", "unknown"])
    def test_an_event_that_waits_or_had_no_effect_is_a_duplicate_as_well(self, session, name):
        session.hear(said(3, name))
        assert session.hear(again(said(3, name))) is DUPLICATE
        session.close_gap()
        assert session.hear(again(said(3, name))) is DUPLICATE

    def test_a_conflict_that_is_sent_again_is_a_duplicate(self, session):
        session.hear(CREATED)
        assert session.hear(said(1, "session.created", "other-id")) is CONFLICT
        assert session.hear(again(said(1, "session.created", "other-id"))) is DUPLICATE

    def test_duplicate_is_asked_before_conflict(self, session):
        """It was missing when it came; by now the session has a flow of its own."""
        unsaid = said(2, "session.completed", flow_id="flow")
        session.hear(unsaid)
        before = replace(session.snapshot, origin=Origin("other", None))
        progress = advance(IDNOW, before, Known(frozenset({unsaid.digest}), taken=True), unsaid)
        assert (progress.disposition, progress.after) == (DUPLICATE, before)


class TestConflict:
    @pytest.mark.parametrize(
        "other",
        [
            said(1, "session.error"),
            said(2, "session.created", "event-1"),
            said(1, "session.created", flow_id="flow"),
            said(1, "session.created", environment="live"),
            said(1, "session.created", session_status="RUNNING"),
        ],
    )
    def test_other_facts_under_the_same_id_have_no_effect(self, session, other):
        session.hear(CREATED)
        before = session.snapshot
        assert session.hear(other) is CONFLICT
        assert session.snapshot is before

    def test_another_id_under_the_same_number_has_no_effect(self, session):
        session.hear(CREATED)
        session.hear(said(3, "session.completed"))
        for number in (1, 3):
            before = session.snapshot
            assert session.hear(said(number, "session.error", "other-id")) is CONFLICT
            assert session.snapshot is before

    @pytest.mark.parametrize("origin", [{"flow_id": "other"}, {"environment": "staging"}])
    def test_another_flow_or_environment_is_not_the_sessions(self, session, origin):
        session.hear(said(1, "session.created", flow_id="flow", environment="live"))
        before = session.snapshot
        assert session.hear(said(2, "session.completed", **origin)) is CONFLICT
        assert session.snapshot is before
        assert session.hear(said(2, "session.completed", "honest")) is APPLIED

    def test_the_first_flow_known_counts_even_of_an_event_that_waits(self, session):
        session.hear(said(3, "session.completed", flow_id="flow"))
        assert session.hear(said(1, "session.created", flow_id="other")) is CONFLICT
        assert session.snapshot.missing == [1, 2]

    def test_a_conflict_fills_nothing_in(self, session):
        session.hear(said(1, "session.created", flow_id="flow"))
        session.hear(said(2, "session.completed", flow_id="other", environment="live"))
        assert session.snapshot.origin == Origin("flow", None)

    def test_a_conflict_does_not_take_its_number(self, session):
        session.hear(CREATED)
        session.hear(said(2, "session.error", "event-1"))
        assert session.hear(COMPLETED) is APPLIED

    def test_a_number_that_only_a_conflict_bore_was_given_up_on(self, session):
        session.hear(CREATED)
        session.hear(said(2, "session.error", "event-1"))
        session.hear(said(3, "unknown"))
        session.close_gap()
        assert session.hear(COMPLETED) is APPLIED
        assert session.snapshot.state == "completed"

    def test_conflict_is_asked_before_late(self, session):
        session.hear(said(2, "session.completed", flow_id="flow"))
        session.close_gap()
        assert session.hear(said(1, "session.created", flow_id="other")) is CONFLICT
        assert [step.trigger for step in session.unconfirmed] == ["session.created"]

    @pytest.mark.parametrize("origin", [{"flow_id": "other"}, {"environment": "staging"}])
    def test_conflict_is_asked_before_the_end(self, session, origin):
        session.hear(said(1, "session.created", flow_id="flow", environment="live"))
        session.hear(COMPLETED)
        assert session.hear(said(3, "unknown", **origin)) is CONFLICT
        assert session.hear(said(1, "unknown", "other-id")) is CONFLICT


class TestOrigin:
    def test_what_was_missing_is_filled_in_by_whoever_says_it(self, session):
        session.hear(CREATED)
        assert session.snapshot.origin == Origin()
        session.hear(said(4, "unknown", environment="live"))
        assert session.snapshot.origin == Origin(None, "live")
        session.hear(said(2, "unknown", flow_id="flow"))
        assert session.snapshot.origin == Origin("flow", "live")

    def test_what_an_event_that_waits_said_does_not_decide_yet(self, session):
        session.hear(CREATED)
        session.hear(said(3, "session.completed", environment="live"))
        assert session.snapshot.decided == Origin()
        session.hear(said(2, "unknown", flow_id="flow"))
        assert session.snapshot.decided == Origin("flow", "live")

    @pytest.mark.parametrize("number", [3, 9])
    def test_what_is_said_behind_the_end_is_shown_and_decides_nothing(self, session, number):
        session.hear(CREATED)
        session.hear(COMPLETED)
        session.hear(said(number, "unknown", flow_id="flow", environment="live"))
        assert session.snapshot.origin == Origin("flow", "live")
        assert session.snapshot.decided == Origin()
        assert [callback.subscriber for callback in session.callbacks] == ["everybody"]

    def test_what_a_late_event_says_decides_until_the_end(self, review):
        review.hear(said(2, "read"))
        review.close_gap()
        review.hear(said(1, "open", environment="live"))
        assert review.snapshot.decided == Origin(None, "live")
        review.hear(said(3, "weigh"))
        review.hear(said(4, "accept"))
        assert [callback.subscriber for callback in review.callbacks] == ["everybody", "live"]

    def test_what_a_late_event_says_behind_the_end_decides_nothing(self, session):
        session.hear(COMPLETED)
        session.close_gap()
        assert session.hear(said(1, "session.created", environment="live")) is LATE
        assert session.snapshot.origin == Origin(None, "live")
        assert session.snapshot.decided == Origin()


class TestTheEnd:
    @pytest.fixture
    def ended(self, session):
        session.hear(CREATED)
        session.hear(COMPLETED)
        return session

    @pytest.mark.parametrize("number", [3, 4, 9999])
    @pytest.mark.parametrize(("name", "disposition"), [("session.aborted", REJECTED), ("unknown", IGNORED)])
    def test_nothing_waits_behind_it_and_the_cursor_stays(self, ended, number, name, disposition):
        before = ended.snapshot
        assert ended.hear(said(number, name)) is disposition
        assert ended.snapshot == before
        assert ended.hear(again(said(number, name))) is DUPLICATE
        assert ended.hear(said(number, name, "other-id")) is CONFLICT

    def test_what_waited_behind_it_is_settled_with_it(self, session):
        for event in (said(3, "session.aborted"), said(5, "unknown"), said(7, "session.created"), COMPLETED):
            assert session.hear(event) is HELD
        session.hear(CREATED)
        assert session.became == {
            "event-1": APPLIED,
            "event-2": APPLIED,
            "event-3": REJECTED,
            "event-5": IGNORED,
            "event-7": REJECTED,
        }
        assert (session.snapshot.state, session.snapshot.cursor, session.snapshot.held) == ("completed", 2, ())
        assert session.snapshot.contiguous

    def test_a_number_given_up_on_before_it_is_still_late(self, session):
        session.hear(said(4, "session.completed"))
        session.close_gap()
        assert session.snapshot.cursor == 4
        assert session.hear(said(2, "unknown")) is LATE
        assert session.hear(said(3, "session.aborted")) is LATE
        assert session.hear(said(1, "session.created")) is LATE
        assert told(session) == [("session.created", 1), ("session.completed", 4)]

    def test_a_late_end_settles_what_waits(self, session):
        session.hear(CREATED)
        session.hear(said(3, "unknown"))
        session.close_gap()
        session.hear(said(5, "session.aborted"))
        session.hear(said(7, "unknown"))
        assert session.hear(COMPLETED) is APPLIED
        assert session.became["event-5"] is REJECTED
        assert session.became["event-7"] is IGNORED
        assert (session.snapshot.state, session.snapshot.cursor, session.snapshot.held) == ("completed", 3, ())


class TestGaps:
    def test_where_nothing_waits_nothing_happens(self, session):
        session.hear(CREATED)
        progress = session.close_gap()
        assert progress.before is progress.after
        assert session.snapshot.contiguous

    def test_the_steps_that_must_have_been_taken_are_inferred(self, session):
        session.hear(COMPLETED)
        progress = session.close_gap()
        assert [(step.target, step.cause, step.event, step.reason) for step in progress.steps] == [
            ("created", Cause.INFERRED, None, "number 1 was given up on"),
            ("completed", Cause.EVENT, COMPLETED, None),
        ]
        assert progress.settled == ((COMPLETED, APPLIED),)
        assert (session.snapshot.cursor, session.snapshot.applied, session.snapshot.contiguous) == (2, (2,), False)

    def test_several_numbers_are_named_together(self, session):
        session.hear(said(4, "session.completed"))
        assert session.close_gap().steps[0].reason == "numbers 1 to 3 were given up on"

    def test_one_gap_is_closed_at_a_time(self, session):
        session.hear(CREATED)
        session.hear(said(3, "unknown"))
        session.hear(said(4, "unknown"))
        session.hear(said(6, "session.completed"))
        session.close_gap()
        assert (session.snapshot.cursor, session.snapshot.missing) == (4, [5])
        session.close_gap()
        assert (session.snapshot.cursor, session.snapshot.state) == (6, "completed")

    def test_a_number_given_up_on_marks_the_session_even_where_nothing_is_inferred(self, session):
        session.hear(CREATED)
        session.hear(said(3, "session.completed"))
        session.close_gap()
        assert told(session) == [("session.created", 1), ("session.completed", 3)]
        assert not session.snapshot.contiguous

    def test_no_more_steps_are_inferred_than_numbers_were_given_up(self, review):
        review.hear(said(1, "open"))
        review.hear(said(3, "accept"))
        review.close_gap()
        assert review.became["event-3"] is REJECTED
        assert (review.snapshot.state, review.snapshot.cursor) == ("opened", 3)

    def test_nothing_has_happened_yet_and_the_path_may_be_longer(self, review):
        review.hear(said(2, "accept"))
        review.hear(said(3, "read"))
        review.close_gap()
        assert told(review) == [("open", None), ("read", None), ("weigh", None), ("accept", 2)]

    def test_as_many_steps_are_inferred_as_numbers_were_given_up(self, review):
        review.hear(said(1, "open"))
        review.hear(said(4, "accept"))
        review.close_gap()
        assert told(review) == [("open", 1), ("read", None), ("weigh", None), ("accept", 4)]

    def test_fewer_steps_may_be_inferred_than_numbers_were_given_up(self, review):
        review.hear(said(1, "open"))
        review.hear(said(9, "accept"))
        review.close_gap()
        assert told(review) == [("open", 1), ("read", None), ("weigh", None), ("accept", 9)]

    @pytest.mark.parametrize("silent", ["unknown", "open"])
    def test_an_event_that_can_never_be_legal_here_does_not_hide_the_one_behind_it(self, review, silent):
        review.hear(said(1, "open"))
        review.hear(said(3, silent))
        review.hear(said(4, "weigh"))
        review.close_gap()
        assert told(review) == [("open", 1), ("read", None), ("weigh", 4)]

    def test_an_event_behind_the_next_gap_says_nothing_about_this_one(self, review):
        """Number 4 may still come, and say itself what was done."""
        review.hear(said(1, "open"))
        review.hear(said(3, "unknown"))
        review.hear(said(5, "weigh"))
        review.close_gap()
        assert (review.snapshot.cursor, told(review)) == (3, [("open", 1)])
        review.hear(said(4, "read"))
        assert told(review) == [("open", 1), ("read", 4), ("weigh", 5)]

    def test_a_gap_before_an_event_that_is_legal_already_is_closed_without_a_step(self, review):
        for event in (said(1, "open"), said(2, "read"), said(4, "note")):
            review.hear(event)
        review.close_gap()
        assert told(review) == [("open", 1), ("read", 2), ("note", 4)]


class TestPending:
    """An event whose turn comes first and which is legal only later."""

    def test_the_steps_before_it_are_inferred(self, session):
        assert session.hear(said(1, "session.completed")) is APPLIED
        assert told(session) == [("session.created", None), ("session.completed", 1)]
        assert session.steps[0].cause is Cause.INFERRED
        assert session.steps[0].reason == "session.completed came first, and the chart allows it only from created"
        assert (session.snapshot.state, session.snapshot.cursor) == ("completed", 1)
        assert not session.snapshot.contiguous

    def test_they_are_as_many_as_it_takes(self, review):
        assert review.hear(said(1, "accept")) is APPLIED
        assert told(review) == [("open", None), ("read", None), ("weigh", None), ("accept", 1)]

    def test_that_holds_behind_events_that_moved_nothing(self, session):
        session.hear(said(1, "unknown"))
        assert session.hear(COMPLETED) is APPLIED
        assert session.snapshot.state == "completed"

    def test_what_was_inferred_is_not_confirmed_by_an_event_whose_number_was_not_given_up_on(self, session):
        session.hear(said(1, "session.completed"))
        assert session.hear(said(2, "session.created")) is REJECTED
        assert told(session) == [("session.created", None), ("session.completed", 1)]

    def test_it_holds_while_nothing_has_happened_and_not_when_a_chart_leads_back_to_its_beginning(self, review):
        for number, name in enumerate(["open", "read", "renew"], 1):
            review.hear(said(number, name))
        assert review.snapshot.state == "new"
        assert review.hear(said(4, "weigh")) is REJECTED


class TestLate:
    def test_it_confirms_the_step_inferred_in_its_stead(self, session):
        session.hear(COMPLETED)
        session.close_gap()
        before = session.snapshot
        created = replace(CREATED, last_step=ended_at("start"))
        assert session.hear(created) is LATE
        assert told(session) == [("session.created", 1), ("session.completed", 2)]
        assert session.steps[0].cause is Cause.INFERRED
        assert session.steps[0].reason == "number 1 was given up on"
        assert session.snapshot == before

    def test_a_step_is_confirmed_once_and_the_first_one_first(self, review):
        review.hear(said(1, "open"))
        for number, name in [(4, "weigh"), (5, "note")]:
            review.hear(said(number, name))
        review.close_gap()
        assert review.hear(said(3, "read")) is LATE
        assert told(review) == [("open", 1), ("read", 3), ("weigh", 4), ("note", 5)]
        assert review.hear(said(2, "read")) is LATE
        assert told(review)[1] == ("read", 3)

    def test_of_two_steps_of_one_name_the_earlier_is_confirmed(self, review):
        for number, name in [(1, "open"), (3, "ask"), (5, "weigh")]:
            review.hear(said(number, name))
        review.close_gaps()
        assert told(review) == [("open", 1), ("read", None), ("ask", 3), ("read", None), ("weigh", 5)]
        review.hear(said(4, "read"))
        assert told(review)[1] == ("read", 4)
        review.hear(said(2, "read"))
        assert told(review)[3] == ("read", 2)

    def test_it_takes_effect_after_all_where_it_is_legal_now(self, session):
        session.hear(CREATED)
        session.hear(said(3, "unknown"))
        session.close_gap()
        late = replace(COMPLETED, last_step=ended_at("late"))
        assert session.hear(late) is APPLIED
        assert session.steps[-1].reason == "its number had been given up on before it came"
        assert (session.snapshot.state, session.snapshot.cursor) == ("completed", 3)
        assert (session.snapshot.applied, session.snapshot.last_step) == ((1, 2), ended_at("late"))
        assert not session.snapshot.contiguous

    @pytest.mark.parametrize("name", ["session.created", "unknown"])
    def test_it_is_kept_without_effect_otherwise(self, session, name):
        session.hear(CREATED)
        session.hear(said(4, "unknown"))
        session.close_gap()
        before = session.snapshot
        assert session.hear(said(2, name)) is LATE
        assert session.snapshot == before

    def test_what_waits_for_another_gap_goes_on_waiting(self, session):
        session.hear(said(3, "unknown"))
        session.close_gap()
        session.hear(said(6, "session.completed"))
        assert session.hear(said(2, "session.created")) is APPLIED
        assert session.became["event-6"] is HELD
        assert session.snapshot.missing == [4, 5]
        assert session.hear(said(1, "unknown")) is LATE
        assert session.snapshot.missing == [4, 5]

    @pytest.mark.parametrize(("number", "disposition"), [(2, LATE), (3, LATE), (4, REJECTED), (5, HELD)])
    def test_a_number_was_given_up_on_if_it_is_not_beyond_the_cursor_and_nobody_bears_it(self, number, disposition):
        before = Snapshot(CREATED.session_id, "created", cursor=3, ordinal=1)
        assert advance(IDNOW, before, Known(), said(number, "session.created")).disposition is disposition

    def test_an_end_is_not_lost_where_nothing_has_happened_yet(self, session):
        session.hear(said(3, "unknown"))
        session.close_gap()
        assert session.snapshot.state == "pending"
        assert session.hear(COMPLETED) is APPLIED
        assert told(session) == [("session.created", None), ("session.completed", 2)]
        assert session.hear(CREATED) is LATE
        assert told(session) == [("session.created", 1), ("session.completed", 2)]

    def test_its_number_is_taken_from_then_on(self, session):
        session.hear(COMPLETED)
        session.close_gap()
        session.hear(CREATED)
        assert session.hear(again(CREATED)) is DUPLICATE
        assert session.hear(said(1, "session.created", "other-id")) is CONFLICT


class TestLastStep:
    def test_it_is_that_of_the_last_applied_event_that_had_one(self, session):
        session.hear(said(1, "session.created", last_step=ended_at("one")))
        session.hear(said(2, "unknown", last_step=ended_at("two")))
        session.hear(said(3, "session.created", last_step=ended_at("three")))
        assert session.snapshot.last_step == ended_at("one")
        session.hear(said(4, "session.completed"))
        assert session.snapshot.last_step == ended_at("one")
        session.hear(said(5, "session.error", last_step=ended_at("five")))
        assert session.snapshot.last_step == ended_at("one")

    def test_it_is_not_that_of_an_event_that_waits(self, session):
        session.hear(said(2, "session.completed", last_step=ended_at("two")))
        assert session.snapshot.last_step is None
        session.hear(CREATED)
        assert session.snapshot.last_step == ended_at("two")

    def test_it_is_not_that_of_an_event_that_only_confirms(self, session):
        session.hear(COMPLETED)
        session.close_gap()
        session.hear(said(1, "session.created", last_step=ended_at("one")))
        assert session.snapshot.last_step is None


def test_the_fold_changes_no_snapshot_that_it_is_given():
    before = Snapshot(CREATED.session_id, "pending", held=(COMPLETED,))
    copy = replace(before)
    advance(IDNOW, before, Known(), CREATED)
    close_gap(IDNOW, before)
    assert before == copy


def test_one_end_owes_one_callback_to_each_subscriber(session):
    for event in (
        said(3, "session.aborted"),
        COMPLETED,
        said(1, "session.created", environment="live"),
        again(COMPLETED),
    ):
        session.hear(event)
    assert [callback.subscriber for callback in session.callbacks] == ["everybody", "live"]
    assert '"state":"completed"' in encode(session.callbacks[0].ended)
