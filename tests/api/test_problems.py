"""What a stranger is told when something goes wrong."""

from uuid import UUID

import pytest
from litestar.exceptions import HTTPException
from structlog.testing import capture_logs

from statekeeper.api.problems import KINDS, problem_of
from statekeeper.core import errors

EXPECTED = [
    (errors.TooLarge(65536), 413),
    (errors.UnsupportedMediaType("no"), 415),
    (errors.NotAToken("no"), 400),
    (errors.NotVerified("no", reason="signature", kid="k"), 401),
    (errors.NotAnEvent((errors.Fault("data", "is missing"),)), 422),
    (errors.QueryRefused("limit", "is wrong"), 400),
    (errors.NotJson(), 400),
    (errors.BodyRefused((errors.Fault("name", "is missing"),)), 422),
    (errors.NotFound("session", 1), 404),
    (errors.AlreadyDelivered(1), 409),
    (errors.NotDelivered(1), 409),
    (errors.NothingHeld(1), 409),
    (errors.GapMoved(1), 409),
    (errors.CallbackMoved(1), 409),
    (errors.EndpointChanged("crm"), 409),
    (errors.NameTaken("crm"), 409),
    (errors.InSettings("crm"), 409),
    (errors.NoEncryptionKey(), 409),
    (errors.CannotBeOpened("crm"), 409),
    (errors.RecoveryUnderWay(UUID(int=1)), 409),
    (errors.PositionMoved("crm"), 409),
    (errors.TooManyConsumers(1000), 409),
    (errors.TooManyEndpoints(1000), 409),
    (errors.Unavailable("away", reason="store", retry_after=7), 503),
]


@pytest.mark.parametrize(("error", "status"), EXPECTED, ids=lambda value: type(value).__name__)
def test_every_expected_error_is_a_problem_with_its_own_message(error, status):
    problem = problem_of(error)
    assert (problem.kind.status, problem.detail) == (status, str(error))
    assert problem.kind.type.startswith("urn:statekeeper:problem:")


def test_the_table_is_complete_and_its_types_are_distinct():
    assert {type(error) for error, _ in EXPECTED} == set(KINDS)
    assert len({kind.type for kind in KINDS.values()}) == len(KINDS)


def test_a_kind_covers_the_kinds_below_it():
    class Deaf(errors.Unavailable):
        pass

    assert problem_of(Deaf("away", reason="deaf")).kind is KINDS[errors.Unavailable]


@pytest.mark.parametrize("error", [ValueError("x"), errors.SchemaError("x"), HTTPException("x", status_code=502)])
def test_what_is_not_expected_is_no_problem_but_a_fault(error):
    assert problem_of(error) is None


async def test_a_problem_has_the_shape_of_rfc_9457(bare):
    answer = await bare.get("/v1/sessions?limit=0")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "urn:statekeeper:problem:bad-parameter",
        "title": "Bad parameter",
        "status": 400,
        "detail": "limit: must be an integer from 1 to 200",
        "errors": [{"field": "limit", "detail": "must be an integer from 1 to 200"}],
    }


async def test_an_unknown_path_is_a_problem_too(bare):
    answer = await bare.get("/v2/secrets")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing matches the given URI.",
    }


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/sessions"), ("POST", "/metrics"), ("FETCH", "/health/live")]
)
async def test_a_method_that_is_not_there_is_a_problem_that_names_those_that_are(bare, method, path):
    answer = await bare.request(method, path)
    assert (answer.status_code, answer.json()["title"]) == (405, "Method Not Allowed")
    assert "GET" in answer.headers["allow"]


async def test_a_bug_is_told_by_its_status_alone_and_logged_with_its_trace(service, http, monkeypatch):
    async def fail(_sessions, _session_id):
        message = "a value from a token"
        raise LookupError(message)

    monkeypatch.setattr("statekeeper.store.queries.sessions.Sessions.find", fail)
    with capture_logs() as logs:
        answer = await http.get("/v1/sessions/fe1941c2-bc45-4142-b516-fa0fc9fd7754")
    assert answer.status_code == 500
    assert "value" not in answer.text
    assert answer.json()["title"] == "Internal Server Error"
    (log,) = logs
    assert (log["event"], log["path"]) == ("request_failed", "/v1/sessions/{session_id}")
    assert isinstance(log["exc_info"], LookupError)
