"""The fold, event by event, as the contract words its dispositions."""

from dataclasses import replace

import pytest

from memory import again, ended_at, said, told
from statekeeper.core.callbacks import encode
from statekeeper.core.machine import Cause, Disposition, Known, Snapshot, advance, close_gap
from statekeeper.resources import default_chart

APPLIED, HELD, DUPLICATE, CONFLICT, LATE, IGNORED, REJECTED = Disposition
IDNOW = default_chart()
CREATED = said(1, "session.created")
COMPLETED = said(2, "session.completed")


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
    assert '"state":"completed"' in encode(session.callbacks[0])
