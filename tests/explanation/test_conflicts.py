"""In what an event contradicts what was known before it."""

import pytest

from memory import said
from situations import Situation
from statekeeper.explanation.conflicts import tell_conflicts

CREATED = said(1, "session.created", "one", flow_id="flow", environment="live", session_status="RUNNING")


@pytest.mark.parametrize(
    ("other", "facts"),
    [
        ({"number": 2}, "eventSequence"),
        ({"name": "session.aborted"}, "eventName"),
        ({"flow_id": "other"}, "flowId"),
        ({"environment": None}, "environment"),
        ({"session_status": "CREATED"}, "sessionStatus"),
        ({"number": 2, "name": "session.aborted", "flow_id": None}, "eventName, eventSequence, flowId"),
    ],
)
def test_an_event_with_other_facts_under_an_id_that_was_taken(other, facts):
    first = {"flow_id": "flow", "environment": "live", "session_status": "RUNNING"}
    told = {"number": 1, "name": "session.created", "event_id": "one"} | first | other
    fates = Situation().hear("08:34", CREATED).hear("08:35", said(**told)).fates()
    assert fates[1] == (
        f"Number {told['number']} ({told['name']}) contradicts what came first under its eventId, in {facts}; it"
        " was kept without effect."
    )


def test_an_event_whose_number_another_has():
    fates = Situation().hear("08:34", CREATED).hear("08:35", said(1, "session.aborted", "two")).fates()
    assert fates[1] == (
        "Number 1 (session.aborted) contradicts another event, session.created, that has this number already; it"
        " was kept without effect."
    )


class Counted(tuple):  # noqa: SLOT001 -- it has to count somewhere
    """Counts how often somebody goes through it."""

    looks = 0

    def __iter__(self):
        self.looks += 1
        return super().__iter__()


def test_of_many_conflicts_none_goes_through_all_that_came_before_it():
    situation = Situation().hear("08:34", CREATED)
    situation.hear("08:35", *(said(1, "session.aborted", f"other {number}") for number in range(100)))
    events = Counted(situation.case().events)
    assert len(tell_conflicts(situation.case(events=events))) == 100
    assert events.looks == 1


def test_an_event_of_another_flow_or_environment():
    situation = Situation().hear("08:34", CREATED)
    situation.hear("08:35", said(2, "session.completed", flow_id="other"))
    situation.hear("08:36", said(3, "session.completed", flow_id="other", environment="staging"))
    situation.hear("08:37", said(4, "session.completed", flow_id="flow", environment="staging"))
    assert situation.fates()[1:] == [
        f"Number {number} (session.completed) contradicts the session, in {facts}; it was kept without effect."
        for number, facts in [(2, "flowId"), (3, "flowId, environment"), (4, "environment")]
    ]


def test_an_event_contradicts_what_came_before_it_and_not_what_came_since():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(1, "session.aborted", "two"))
    situation.hear("08:36", said(2, "session.error", "two"))
    assert situation.fates()[1:] == [
        (
            "Number 1 (session.aborted) contradicts another event, session.created, that has this number already; it"
            " was kept without effect."
        ),
        (
            "Number 2 (session.error) contradicts what came first under its eventId, in eventName, eventSequence; it"
            " was kept without effect."
        ),
    ]


def test_a_conflict_takes_no_number_so_that_none_contradicts_it():
    situation = Situation().hear("08:34", CREATED).hear("08:35", said(2, "session.completed", "x", flow_id="other"))
    situation.hear("08:36", said(2, "session.completed", "y", flow_id="another"))
    assert situation.fates()[2] == (
        "Number 2 (session.completed) contradicts the session, in flowId; it was kept without effect."
    )
