"""The fold, where something is missing: gaps given up on, beginnings never seen, and what comes late."""

from dataclasses import replace

import pytest

from memory import again, ended_at, said, told
from statekeeper.core.machine import Cause, Disposition, Known, Snapshot, advance
from statekeeper.resources import default_chart

APPLIED, HELD, DUPLICATE, CONFLICT, LATE, IGNORED, REJECTED = Disposition
IDNOW = default_chart()
CREATED = said(1, "session.created")
COMPLETED = said(2, "session.completed")


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
