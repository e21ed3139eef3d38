"""What went wrong, as a page."""

import pytest
from litestar import Request
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from statekeeper.console.failures import answer_page
from statekeeper.core.errors import NotFound, QueryRefused, TooLarge, Unavailable


def answering(error: Exception):
    scope = {"type": "http", "method": "GET", "path": "/console/x", "headers": [], "query_string": b""}
    return answer_page(Request(scope), error)


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (QueryRefused("cursor", "is <b>not</b> right"), 400, "That address is not right"),
        (NotFound("session", "1"), 404, "There is no such thing here"),
        (NotFoundException(), 404, "There is no such thing here"),
        (MethodNotAllowedException(), 405, "That cannot be done here"),
        (TooLarge(1), 413, "That is too much at once"),
        (Unavailable("Away.", reason="store"), 503, "The store does not answer at the moment"),
        (ZeroDivisionError("a secret"), 500, "Something is wrong here"),
    ],
)
def test_each_failure_has_its_status_and_its_page(error, status, title):
    answer = answering(error)
    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.content


def test_what_a_refusal_says_is_shown_as_text():
    assert "cursor: is &lt;b&gt;not&lt;/b&gt; right" in answering(QueryRefused("cursor", "is <b>not</b> right")).content


def test_a_fault_of_ours_says_nothing_of_itself():
    assert "a secret" not in answering(ZeroDivisionError("a secret")).content
