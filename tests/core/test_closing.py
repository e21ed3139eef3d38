"""What closing a gap would come to, told by the functions that close it."""

from datetime import UTC, datetime

from memory import said
from statekeeper.core.closing import plan_closing
from statekeeper.core.machine import Disposition, close_gap
from statekeeper.core.subscribers import NOTICES, Subscriber

NOW = datetime(2026, 1, 8, tzinfo=UTC)
CRM = Subscriber("crm", notices=frozenset(NOTICES))


def test_where_nothing_is_held_there_is_nothing_to_close(session):
    session.hear(said(1, "session.created"))
    assert plan_closing(session.chart, session.snapshot, [CRM], NOW) is None


def test_it_says_what_is_given_up_inferred_let_through_and_owed(session):
    session.hear(said(3, "session.completed"))
    closing = plan_closing(session.chart, session.snapshot, [CRM], NOW)
    assert (closing.source, closing.target, closing.given_up, closing.held) == ("pending", "completed", (1, 2), ())
    assert [(step.trigger, step.cause) for step in closing.steps] == [
        ("session.created", "inferred"),
        ("session.completed", "event"),
    ]
    assert [(event.sequence, disposition) for event, disposition in closing.settled] == [(3, Disposition.APPLIED)]
    assert [(each.subscriber, each.ended.state) for each in closing.callbacks] == [("crm", "completed")]
    assert [(each.subscriber, each.notice.type) for each in closing.messages] == [("crm", "session.gap_closed")]


def test_nothing_is_changed_by_it(session):
    session.hear(said(3, "session.completed"))
    before = session.snapshot
    plan_closing(session.chart, before, [CRM], NOW)
    assert session.snapshot == before
    assert close_gap(session.chart, before).steps


def test_what_waits_behind_the_next_gap_waits_on(session):
    session.hear(said(2, "session.created"))
    session.hear(said(5, "session.completed"))
    closing = plan_closing(session.chart, session.snapshot, [CRM], NOW)
    assert (closing.given_up, closing.target, closing.held, closing.callbacks) == ((1,), "created", (5,), ())
