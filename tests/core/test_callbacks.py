import json
from dataclasses import replace
from uuid import UUID, uuid5

import pytest

from memory import NOW, SESSION, MemorySession, ended_at, said
from statekeeper.core.callbacks import callbacks_due, decode, encode, undecidable
from statekeeper.core.machine import Known, Origin, Snapshot, advance, close_gap
from statekeeper.core.subscribers import Match, Scope, Subscriber
from statekeeper.resources import default_chart

IDNOW = default_chart()
EVERYBODY = Subscriber("everybody")
LIVE = Subscriber("live", environments=frozenset({"live"}))
FLOW = Subscriber("flow", flows=frozenset({"flow", "other-flow"}))
ENDS = Subscriber("ends", states=frozenset({"completed", "error"}))
PICKY = Subscriber("picky", frozenset({"completed"}), frozenset({"live"}), frozenset({"flow"}))
ALL = (EVERYBODY, LIVE, FLOW, ENDS, PICKY)


def ended(name="session.completed", **more):
    """The progress of a session's end."""
    before = Snapshot(SESSION, "created", cursor=1, ordinal=1, applied=(1,))
    return advance(IDNOW, before, Known(), said(2, name, **more))


def names(progress, subscribers=ALL):
    return [callback.subscriber for callback in callbacks_due(IDNOW, progress, subscribers, NOW)]


@pytest.mark.parametrize(
    ("state", "origin", "match"),
    [
        ("completed", Origin("flow", "live"), Match.YES),
        ("error", Origin("flow", "live"), Match.NO),
        ("completed", Origin("flow", "staging"), Match.NO),
        ("completed", Origin("other", "live"), Match.NO),
        ("completed", Origin(None, "live"), Match.UNKNOWN),
        ("completed", Origin("flow", None), Match.UNKNOWN),
        ("completed", Origin(None, None), Match.UNKNOWN),
        ("completed", Origin(None, "staging"), Match.NO),
        ("completed", Origin("other", None), Match.NO),
        ("error", Origin(None, None), Match.NO),
        ("completed", Origin("", "live"), Match.NO),
    ],
)
def test_filters_fit_only_what_is_known(state, origin, match):
    assert PICKY.match(state, origin) is match


def test_an_empty_filter_fits_everything():
    assert EVERYBODY.match("completed", Origin()) is Match.YES
    assert ENDS.match("error", Origin()) is Match.YES
    assert ENDS.match("aborted", Origin()) is Match.NO


def test_an_end_owes_one_callback_to_each_subscriber_whose_filters_fit():
    assert names(ended(flow_id="flow", environment="live")) == ["everybody", "live", "flow", "ends", "picky"]
    assert names(ended(flow_id="other-flow", environment="staging")) == ["everybody", "flow", "ends"]
    assert names(ended("session.aborted", environment="live")) == ["everybody", "live"]


def test_who_would_fit_if_more_were_known_is_named_and_gets_nothing():
    progress = ended()
    assert names(progress) == ["everybody", "ends"]
    assert undecidable(IDNOW, progress, ALL) == ("live", "flow", "picky")
    assert undecidable(IDNOW, ended("session.error", flow_id="no"), ALL) == ("live",)
    assert undecidable(IDNOW, ended(flow_id="flow", environment="live"), ALL) == ()


def test_a_step_that_ends_nothing_owes_nothing():
    progress = advance(IDNOW, Snapshot(SESSION, "pending"), Known(), said(1, "session.created"))
    assert names(progress) == []
    assert undecidable(IDNOW, progress, ALL) == ()


def test_what_comes_behind_the_end_owes_nothing():
    over = ended().after
    assert names(advance(IDNOW, over, Known(), said(3, "session.error", environment="live"))) == []


def test_what_waits_behind_the_end_has_no_say_in_whose_callbacks_are_due():
    """Had it come behind the end, they would have been decided without it."""
    session = MemorySession(IDNOW)
    session.hear(said(3, "unknown", flow_id="flow", environment="live"))
    session.hear(said(2, "session.completed"))
    session.hear(said(1, "session.created"))
    (callback,) = session.callbacks
    assert (callback.subscriber, callback.ended.flow_id, callback.ended.environment) == ("everybody", None, None)


def test_an_end_behind_a_closed_gap_owes_its_callbacks():
    waiting = Snapshot(SESSION, "pending", held=(said(2, "session.completed"),))
    (callback,) = callbacks_due(IDNOW, close_gap(IDNOW, waiting), (EVERYBODY,), NOW)
    assert (callback.step.ordinal, callback.ended.sequences, callback.ended.contiguous) == (2, [2], False)


def test_a_callback_certifies_the_order():
    """Whoever gets it knows whether a decision was made over a hole."""
    session = MemorySession(IDNOW)
    session.hear(said(4, "session.completed"))
    session.close_gap()
    certificate = session.callbacks[0].ended
    assert (certificate.sequences, certificate.contiguous) == ([4], False)
    assert (certificate.given_up, certificate.inferred) == ([1, 2, 3], ["session.created"])


def test_a_number_that_came_late_but_before_the_end_is_no_hole_any_more():
    session = MemorySession(IDNOW)
    session.hear(said(2, "unknown"))
    session.close_gap()
    session.hear(said(1, "session.created"))
    session.hear(said(3, "session.completed"))
    certificate = session.callbacks[0].ended
    assert (certificate.sequences, certificate.given_up, certificate.inferred) == ([1, 3], [], [])
    assert not certificate.contiguous


def test_a_step_that_was_inferred_and_confirmed_before_the_end_is_borne(review):
    review.hear(said(2, "read"))
    review.close_gap()
    assert (review.snapshot.given_up, review.snapshot.inferred) == ((1,), ("open",))
    review.hear(said(1, "open"))
    assert (review.snapshot.given_up, review.snapshot.inferred) == ((), ())


def test_one_who_asks_for_all_transitions_is_told_of_each_as_it_was_then():
    session = MemorySession(IDNOW)
    session.hear(said(2, "session.completed", environment="live", last_step=ended_at("END-ACCEPT")))
    session.hear(said(1, "session.created", flow_id="flow"))
    created, completed = [json.loads(encode(each)) for each in session.owed if each.subscriber == "steps"]
    assert (created["type"], completed["type"]) == ("session.created", "session.completed")
    assert (created["data"]["sequences"], completed["data"]["sequences"]) == ([1], [1, 2])
    assert (created["data"]["environment"], completed["data"]["environment"]) == (None, "live")
    assert (created["data"]["lastStep"], created["data"]["endedAt"]) == (None, None)
    assert created["data"]["transition"] == {
        "ordinal": 1,
        "source": "pending",
        "target": "created",
        "trigger": "session.created",
        "cause": "event",
        "eventId": "event-1",
        "sequence": 1,
    }
    assert completed["data"]["transition"]["ordinal"] == 2


def test_a_step_certifies_nothing_that_came_behind_it_though_it_was_found_with_it(review):
    review.hear(said(1, "open"))
    review.hear(said(4, "accept"))
    review.close_gap()
    certificates = [(each.ended.sequences, each.ended.inferred) for each in review.owed if each.detailed]
    assert certificates == [
        ([1], []),
        ([1], ["read"]),
        ([1], ["read", "weigh"]),
        ([1, 4], ["read", "weigh"]),
    ]


def test_one_who_asks_for_no_transitions_gets_none():
    assert names(ended(), (replace(EVERYBODY, scope=Scope.NONE),)) == []


def test_a_callback_says_what_happened():
    session = MemorySession(IDNOW)
    session.hear(said(1, "session.created", flow_id="flow", environment="live", last_step=ended_at("one")))
    session.hear(said(2, "unknown"))
    session.hear(said(3, "session.expired", last_step=ended_at("END-ACCEPT")))
    callback = session.callbacks[0]
    assert (callback.subscriber, callback.step.ordinal) == ("everybody", 2)
    said_so = callback.ended
    assert (said_so.session_id, said_so.flow_id, said_so.environment) == (SESSION, "flow", "live")
    assert (said_so.state, said_so.ended_at, said_so.last_step) == ("expired", NOW, ended_at("END-ACCEPT"))
    assert (said_so.sequences, said_so.contiguous) == ([1, 3], True)


def test_its_id_is_made_of_session_ordinal_and_subscriber_and_of_nothing_else():
    first, *others = callbacks_due(IDNOW, ended(environment="live"), (EVERYBODY, LIVE), NOW)
    (repeated,) = callbacks_due(IDNOW, ended("session.error"), (EVERYBODY,), NOW.replace(year=2027))
    assert first.ended.callback_id == repeated.ended.callback_id == uuid5(SESSION, "2:everybody")
    assert others[0].ended.callback_id == uuid5(SESSION, "2:live")
    elsewhere = replace(ended(), after=replace(ended().after, session_id=UUID(int=1)))
    assert callbacks_due(IDNOW, elsewhere, (EVERYBODY,), NOW)[0].ended.callback_id == uuid5(UUID(int=1), "2:everybody")


def test_an_endpoint_gets_it_in_the_shape_of_standard_webhooks():
    progress = ended(flow_id="flow", environment="ümgebung", last_step=ended_at("END-ACCEPT"))
    (callback,) = callbacks_due(IDNOW, progress, (EVERYBODY,), NOW)
    body = encode(callback)
    assert json.loads(body) == {
        "type": "session.completed",
        "timestamp": "2026-01-08T08:35:37.581Z",
        "data": {
            "callbackId": str(uuid5(SESSION, "2:everybody")),
            "sessionId": str(SESSION),
            "flowId": "flow",
            "environment": "ümgebung",
            "state": "completed",
            "endedAt": "2026-01-08T08:35:37.581Z",
            "lastStep": {"id": "END-ACCEPT", "type": "END", "status": "COMPLETED"},
            "sequences": [1, 2],
            "contiguous": True,
            "inferred": [],
            "givenUp": [],
        },
    }
    assert body == encode(callback)
    assert "ümgebung" in body


@pytest.mark.parametrize("more", [{}, {"flow_id": "flow", "environment": "live", "last_step": ended_at("END")}])
def test_a_function_gets_what_was_written(more):
    (callback,) = callbacks_due(IDNOW, ended(**more), (EVERYBODY,), NOW)
    assert decode(encode(callback)) == callback.ended
