"""The end of a session as a CloudEvent: what CloudEvents 1.0 requires, and the data that an endpoint gets."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.callbacks import Callback, SessionEnded, encode
from statekeeper.core.cloudevents import as_cloudevent
from statekeeper.core.events import LastStep
from statekeeper.core.snapshot import Cause, Step

ENDED = SessionEnded(
    callback_id=UUID(int=1),
    session_id=UUID(int=2),
    flow_id="flow",
    environment="live",
    state="completed",
    ended_at=datetime(2026, 1, 8, 8, 35, 37, 120000, tzinfo=UTC),
    last_step=LastStep("ENDE-GRÜN", "END", None),
    sequences=[1, 2],
    contiguous=True,
)
STEP = Step(2, "created", "completed", "session.completed", Cause.EVENT)
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_it_has_the_attributes_that_cloudevents_requires():
    event = json.loads(as_cloudevent(ENDED.callback_id, encode(Callback("bus", STEP, ENDED))).content)
    assert {name: value for name, value in event.items() if name != "data"} == {
        "specversion": "1.0",
        "id": str(ENDED.callback_id),
        "source": "/statekeeper/sessions",
        "type": "session.completed",
        "subject": str(ENDED.session_id),
        "time": "2026-01-08T08:35:37.120Z",
        "datacontenttype": "application/json",
    }


def test_a_broker_is_told_the_id_the_type_and_the_session_beside_it():
    event = as_cloudevent(ENDED.callback_id, encode(Callback("bus", STEP, ENDED)))
    assert (event.id, event.type, event.subject) == (str(ENDED.callback_id), "session.completed", str(ENDED.session_id))


@given(texts, texts, texts)
def test_its_data_is_byte_for_byte_what_an_endpoint_gets(flow, environment, step):
    ended = replace(ENDED, flow_id=flow, environment=environment, last_step=LastStep(step, None, None))
    body = encode(Callback("bus", STEP, ended))
    content = as_cloudevent(ENDED.callback_id, body).content.decode()
    _, _, in_body = body.partition('"data":')
    _, _, in_event = content.partition('"data":')
    assert in_event == in_body
    assert as_cloudevent(ENDED.callback_id, body).content == content.encode()


def test_a_message_that_is_about_no_session_has_no_subject():
    event = as_cloudevent(UUID(int=3), '{"type":"endpoint.disabled","timestamp":"2026-01-08T08:35:37.000Z","data":{}}')
    assert event.subject is None
    assert json.loads(event.content) == {
        "specversion": "1.0",
        "id": str(UUID(int=3)),
        "source": "/statekeeper/sessions",
        "type": "endpoint.disabled",
        "time": "2026-01-08T08:35:37.000Z",
        "datacontenttype": "application/json",
        "data": {},
    }
