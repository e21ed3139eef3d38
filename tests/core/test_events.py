from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import forge
from statekeeper.core.errors import NotAnEvent
from statekeeper.core.events import LastStep, SessionEvent, parse_uuid, read_event, status_fits, storable

SESSION = "fe1941c2-41d8-4e5b-bd1d-8d4a6b7a9c01"
COMPLETED = {
    "eventId": "61a51c5b-0cb1-4a4e-9a26-0f2ccf3a7c11",
    "eventName": "session.completed",
    "eventVersion": "1.0",
    "eventSequence": "2",
    "eventDeliverId": "1",
    "createdAt": "2026-01-08T08:35:37.581Z",
    "environment": "staging",
    "payload": {
        "flowId": "bf8e2e27-7a4e-4b5f-8d54-b6c3f4f6a001",
        "sessionId": SESSION,
        "sessionStatus": "COMPLETED",
        "lastStepId": "END-ACCEPT",
        "lastStepType": "END",
        "lastStepStatus": "COMPLETED",
    },
}


def completed(payload=None, **members):
    """The provider's example, bent: `ABSENT` leaves a member out."""
    data = {**deepcopy(COMPLETED), **members}
    data["payload"] = {**data["payload"], **(payload or {})} if isinstance(data["payload"], dict) else data["payload"]
    for where in (data, data["payload"]):
        if isinstance(where, dict):
            for key in [key for key, value in where.items() if value is forge.ABSENT]:
                del where[key]
    return data


def faults_of(data):
    with pytest.raises(NotAnEvent) as caught:
        read_event(data)
    return [fault.field for fault in caught.value.faults]


def test_the_providers_example_is_read_whole():
    assert read_event(COMPLETED) == SessionEvent(
        event_id="61a51c5b-0cb1-4a4e-9a26-0f2ccf3a7c11",
        name="session.completed",
        sequence=2,
        session_id=UUID(SESSION),
        flow_id="bf8e2e27-7a4e-4b5f-8d54-b6c3f4f6a001",
        environment="staging",
        session_status="COMPLETED",
        last_step=LastStep("END-ACCEPT", "END", "COMPLETED"),
        version="1.0",
        deliver_id="1",
        sent_at=datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC),
    )


def test_four_fields_make_an_event():
    data = {"eventId": "1", "eventName": "n", "eventSequence": 1, "payload": {"sessionId": SESSION}}
    assert read_event(data) == SessionEvent("1", "n", 1, UUID(SESSION))


def test_unknown_fields_are_no_matter():
    assert read_event(completed(payload={"newField": [1]}, newBlock={"a": None})) == read_event(COMPLETED)


@pytest.mark.parametrize("number", ["2", 2, "02", "0" * 5000 + "2"])
def test_numbers_are_compared_as_numbers(number):
    assert read_event(completed(eventSequence=number)) == read_event(COMPLETED)


@pytest.mark.parametrize(("sent", "read"), [("1", 1), (9999, 9999), ("9999", 9999), ("0009999", 9999), ("10", 10)])
def test_numbers_count_from_1_to_9999(sent, read):
    assert read_event(completed(eventSequence=sent)).sequence == read


@pytest.mark.parametrize(
    "number",
    [
        *("0", "000", "-1", "10000", "00010000", "+2", " 2", "2 ", "2\n", "1_0", "2.0", "x", "", "²", "٢", "9" * 5000),
        *(0, -1, 10000, 2.0, True, None, [2], {"n": 2}, forge.ABSENT),
    ],
)
def test_anything_else_is_no_number(number):
    assert faults_of(completed(eventSequence=number)) == ["data.eventSequence"]


@pytest.mark.parametrize(
    "text", [forge.ABSENT, None, "", 7, True, ["x"], "x" * 256, "a\x00b", "\x00", "a\ud800", "ä\x00"]
)
@pytest.mark.parametrize("field", ["eventId", "eventName"])
def test_an_id_or_a_name_that_cannot_be_kept_makes_no_event(field, text):
    assert faults_of(completed(**{field: text})) == [f"data.{field}"]


@pytest.mark.parametrize("text", ["x" * 255, "ä" * 255, "😀" * 255, " ", "a\nb", "\x7f"])
def test_any_other_text_is_kept_as_it_came(text):
    event = read_event(completed(eventId=text, eventName=text, environment=text, payload={"flowId": text}))
    assert (event.event_id, event.name, event.environment, event.flow_id) == (text, text, text, text)


@pytest.mark.parametrize(
    "session",
    [
        *("", "x", SESSION[:-1], f"{SESSION}0", f"{SESSION}\n", f"{{{SESSION}}}", f"urn:uuid:{SESSION}"),
        *(SESSION.replace("-", ""), SESSION.replace("1", "\N{FULLWIDTH DIGIT ONE}"), 7, None, [SESSION], forge.ABSENT),
    ],
)
def test_a_session_is_a_uuid_in_its_canonical_form(session):
    assert faults_of(completed(payload={"sessionId": session})) == ["data.payload.sessionId"]


def test_the_case_of_a_uuid_is_no_matter():
    assert parse_uuid(SESSION.upper()) == UUID(SESSION)
    assert read_event(completed(payload={"sessionId": SESSION.upper()})) == read_event(COMPLETED)


@pytest.mark.parametrize("data", [None, [], "text", 7, forge.ABSENT])
def test_what_is_no_object_is_no_event(data):
    assert faults_of(data) == ["data"]


@pytest.mark.parametrize("payload", [forge.ABSENT, None, [], "text", 7])
def test_without_a_payload_there_is_no_session(payload):
    assert faults_of({**completed(), "payload": payload}) == ["data.payload.sessionId"]


def test_every_fault_is_named_at_once_and_no_value_is_repeated():
    with pytest.raises(NotAnEvent) as caught:
        read_event(
            {"eventId": "s3cret" * 50, "eventName": 7, "eventSequence": "s3cret", "payload": {"sessionId": "s3cret"}}
        )
    fields = ["data.eventId", "data.eventName", "data.eventSequence", "data.payload.sessionId"]
    assert [fault.field for fault in caught.value.faults] == fields
    assert "s3cret" not in str(caught.value) + str(caught.value.faults)


@pytest.mark.parametrize("value", [None, 7, True, {}, ["staging"], "x" * 256, "a\x00b", "\udfff"])
def test_an_optional_text_that_cannot_be_kept_counts_as_missing(value):
    payload = ("flowId", "sessionStatus", "lastStepId", "lastStepType", "lastStepStatus")
    top = ("environment", "eventVersion", "eventDeliverId", "createdAt")
    event = read_event(completed(payload=dict.fromkeys(payload, value), **dict.fromkeys(top, value)))
    assert event == SessionEvent(COMPLETED["eventId"], "session.completed", 2, UUID(SESSION))


def test_the_last_step_is_read_from_the_top_level_where_the_payload_has_none():
    top = {"lastStepId": "TOP", "lastStepType": "T", "lastStepStatus": "S"}
    none = dict.fromkeys(top, forge.ABSENT)
    assert read_event(completed(payload=none, **top)).last_step == LastStep("TOP", "T", "S")
    assert read_event(completed(payload=none | {"lastStepType": 7}, **top)).last_step == LastStep("TOP", "T", "S")
    assert read_event(completed(**top)).last_step == LastStep("END-ACCEPT", "END", "COMPLETED")


def test_each_member_of_the_last_step_may_be_missing():
    gone = {"lastStepId": None, "lastStepType": forge.ABSENT}
    assert read_event(completed(payload=gone)).last_step == LastStep(None, None, "COMPLETED")
    assert read_event(completed(payload=gone | {"lastStepStatus": None})).last_step is None


def test_an_empty_text_is_a_text():
    event = read_event(completed(payload={"lastStepId": "", "sessionStatus": ""}, lastStepId="TOP"))
    assert event.last_step == LastStep("", "END", "COMPLETED")
    assert event.session_status == ""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-01-08T09:35:37.581999+01:00", datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)),
        ("2026-01-08T08:35:37Z", datetime(2026, 1, 8, 8, 35, 37, tzinfo=UTC)),
        ("2026-01-08T08:35:37", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("soon", None),
        ("2026-01-08T08:35:37Z" + " " * 300, None),
        (1767861337581, None),
    ],
)
def test_the_senders_time_is_read_to_the_millisecond_or_counts_as_missing(sent, read):
    assert read_event(completed(createdAt=sent)).sent_at == read


def test_an_honest_retry_has_the_same_facts():
    retry = completed(
        eventDeliverId="2", createdAt="2026-01-08T09:00:00Z", eventVersion="1.1", payload={"lastStepId": "X"}
    )
    assert read_event(retry).digest == read_event(COMPLETED).digest


@pytest.mark.parametrize(
    "other",
    [
        completed(eventName="session.aborted"),
        completed(eventSequence="3"),
        completed(environment="live"),
        completed(environment=None),
        completed(payload={"flowId": "other"}),
        completed(payload={"flowId": None}),
        completed(payload={"sessionStatus": "ABORTED"}),
    ],
)
def test_other_facts_have_another_digest(other):
    assert read_event(other).digest != read_event(COMPLETED).digest


@pytest.mark.parametrize(
    ("name", "status", "fits"),
    [
        ("session.created", "CREATED", True),
        ("session.created", "RUNNING", True),
        ("session.created", "COMPLETED", False),
        ("session.completed", "COMPLETED", True),
        ("session.completed", "RUNNING", False),
        ("session.error", "ERROR", True),
        ("session.error", "error", False),
        ("session.expired", "ABORTED", False),
        ("session.aborted", None, True),
        ("session.step_completed", "RUNNING", True),
    ],
)
def test_a_status_fits_an_event_where_the_provider_documents_it(name, status, fits):
    event = SessionEvent("1", name, 1, UUID(SESSION), session_status=status)
    assert status_fits(event) is fits


def test_facts_do_not_run_into_each_other():
    event = SessionEvent("1", "n", 1, UUID(SESSION), flow_id='a","b', environment="c")
    assert event.digest != replace(event, flow_id="a", environment='b","c').digest
    assert event.digest != replace(event, flow_id=None, environment='a","b').digest


def test_the_forge_mints_what_the_reader_reads():
    created, ended = map(read_event, forge.story(7, "aborted"))
    assert (created.name, created.sequence, created.session_status) == ("session.created", 1, "CREATED")
    assert (ended.name, ended.sequence, ended.last_step) == (
        "session.aborted",
        2,
        LastStep("END-ACCEPT", "END", "COMPLETED"),
    )
    assert read_event(forge.redelivered(forge.story(7)[0])).digest == created.digest


@given(st.text())
def test_a_storable_text_goes_through_utf_8_and_has_no_nul(text):
    kept = storable(text)
    assert kept is None or (kept == text and "\x00" not in kept.encode().decode() and len(kept) <= 255)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_nothing_but_its_own_refusal_comes_out_of_the_reader(junk):
    for data in (junk, completed(payload={"sessionId": junk}), {**completed(), "payload": junk, "eventSequence": junk}):
        try:
            read_event(data)
        except NotAnEvent as refusal:
            assert refusal.faults  # noqa: PT017 -- either an event or this refusal is right
