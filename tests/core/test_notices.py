import json
from datetime import timedelta
from uuid import UUID

from memory import NOW, SESSION
from statekeeper.core.notices import callback_dead, endpoint_disabled, endpoint_recovered, gap_closed, messages_due
from statekeeper.core.subscribers import NOTICES, Subscriber

OPS = Subscriber("ops", notices=frozenset(NOTICES))
PAGER = Subscriber("pager", notices=frozenset({"callback.dead"}))
CRM = Subscriber("crm")
ALL = (OPS, PAGER, CRM)
CALLBACK = UUID(int=7)
DEAD = callback_dead(CALLBACK, SESSION, "crm", 10, "HTTP 500", NOW)


def test_only_those_who_asked_for_a_notice_get_it():
    assert [message.subscriber for message in messages_due(DEAD, ALL)] == ["ops", "pager"]
    assert [message.subscriber for message in messages_due(endpoint_disabled("crm", "410", NOW), ALL)] == ["ops"]


def test_a_notice_has_the_shape_of_a_callback():
    message = messages_due(DEAD, ALL)[0]
    assert json.loads(message.body) == {
        "type": "callback.dead",
        "timestamp": "2026-01-08T08:35:37.581Z",
        "data": {
            "noticeId": str(DEAD.notice_id),
            "callbackId": str(CALLBACK),
            "sessionId": str(SESSION),
            "subscriber": "crm",
            "attempts": 10,
            "detail": "HTTP 500",
        },
    }


def test_a_message_has_an_id_for_each_subscriber_and_for_each_occasion():
    first, second = messages_due(DEAD, ALL)
    assert first.message_id != second.message_id
    again = messages_due(callback_dead(CALLBACK, SESSION, "crm", 10, "HTTP 502", NOW), ALL)[0]
    once_more = messages_due(callback_dead(CALLBACK, SESSION, "crm", 20, "HTTP 500", NOW), ALL)[0]
    assert again.message_id == first.message_id
    assert once_more.message_id != first.message_id


def test_what_befalls_an_endpoint_again_is_told_again():
    instants = (NOW, NOW + timedelta(milliseconds=1))
    ids = {endpoint_disabled(name, "HTTP 410", at).notice_id for name in ("crm", "mail") for at in instants}
    ids |= {endpoint_recovered(name, None, at).notice_id for name in ("crm", "mail") for at in instants}
    assert len(ids) == 8


def test_each_says_what_befell():
    assert endpoint_disabled("crm", "HTTP 410", NOW).data == {"endpoint": "crm", "reason": "HTTP 410"}
    assert endpoint_recovered("crm", NOW, NOW).data == {"endpoint": "crm", "since": "2026-01-08T08:35:37.581Z"}
    assert endpoint_recovered("crm", None, NOW).data == {"endpoint": "crm", "since": None}
    closed = gap_closed(SESSION, (1, 2), ("session.created",), NOW)
    assert closed.data == {"sessionId": str(SESSION), "givenUp": [1, 2], "inferred": ["session.created"]}
    assert closed.notice_id != gap_closed(SESSION, (4,), (), NOW).notice_id
