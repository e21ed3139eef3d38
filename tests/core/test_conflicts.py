"""The fold, where something is known already: repetitions, contradictions, and where a session comes from."""

from dataclasses import replace

import pytest

from memory import again, ended_at, said
from statekeeper.core.machine import Disposition, Known, Origin, advance
from statekeeper.resources import default_chart

APPLIED, HELD, DUPLICATE, CONFLICT, LATE, IGNORED, REJECTED = Disposition
IDNOW = default_chart()
CREATED = said(1, "session.created")
COMPLETED = said(2, "session.completed")


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
