"""What went wrong, as a page that says what to do; the same table as everywhere says what is told to whom."""

from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from statekeeper.api.problems import Problem, problem_of
from statekeeper.console.pages import page
from statekeeper.core.errors import StatekeeperError
from statekeeper.explanation.sentences import N_

log = structlog.get_logger()

_TITLES: Final = {
    400: N_("That address is not right"),
    403: N_("That is not allowed"),
    404: N_("There is no such thing here"),
    405: N_("That cannot be done here"),
    409: N_("That cannot be done any more"),
    413: N_("That is too much at once"),
    422: N_("Something in the form is not right"),
    503: N_("The store does not answer at the moment"),
}
_DETAILS: Final = {
    403: N_("Your role does not allow it. Ask somebody whose role does, or sign in with another."),
    404: N_("It may have been mistyped, or come from another installation. Search for the session by its id."),
    503: N_("Nothing is lost. Try again in a few seconds; if it stays so, the operator must look at the database."),
}
_OTHERWISE: Final = N_("Something is wrong here")
_OTHERWISE_DETAIL: Final = N_("It is written in the service's log. Try again, or tell the operator when it happened.")


def answer_page(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """The error as a page, with its status."""
    problem = problem_of(error) if isinstance(error, StatekeeperError) else None
    status = problem.kind.status if problem else error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500 and not problem:  # noqa: PLR2004 -- RFC 9110
        log.error("page_failed", path=request.url.path, exc_info=error)
    return page(request, "error.html", status=status, **_words(status, problem))


def _words(status: int, problem: Problem | None) -> dict[str, Any]:
    """Texts to be translated by the template, what an exception says of itself included."""
    title, fallback = _TITLES.get(status, _OTHERWISE), "" if status in _TITLES else _OTHERWISE_DETAIL
    detail = _DETAILS.get(status) or (problem.detail if problem else fallback)
    return {"title": title, "detail": detail, "faults": problem.faults if problem else ()}
