"""Errors as problems: one table from what went wrong to what a stranger is told (RFC 9457).

Only an exception of the table speaks for itself, since its message is made to be read by strangers. Anything else is
told by its status alone: what Litestar or a bug has to say may repeat what was sent, and goes to the log.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from statekeeper.core.errors import (
    AlreadyDelivered,
    BodyRefused,
    CallbackMoved,
    CannotBeOpened,
    EndpointChanged,
    Fault,
    GapMoved,
    InSettings,
    NameTaken,
    NoEncryptionKey,
    NotAnEvent,
    NotAToken,
    NotDelivered,
    NotFound,
    NothingHeld,
    NotJson,
    NotVerified,
    PositionMoved,
    QueryRefused,
    RecoveryUnderWay,
    StatekeeperError,
    TooLarge,
    TooManyConsumers,
    TooManyEndpoints,
    Unavailable,
    UnsupportedMediaType,
    WebhookRefused,
)
from statekeeper.store.views import FaultView

MEDIA_TYPE: Final = "application/problem+json"
log = structlog.get_logger()


class ProblemView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a refusal; `errors` names each field that was wrong, where fields were."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultView] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. Its type is a name to compare, not a page to visit."""

    status: int
    title: str
    type: str = "about:blank"

    @classmethod
    def named(cls, status: int, title: str) -> "Kind":
        return cls(status, title, f"urn:statekeeper:problem:{re.sub('[^a-z]+', '-', title.lower())}")


def _refusals(*refusals: type[WebhookRefused]) -> Mapping[type[StatekeeperError], Kind]:
    return {refusal: Kind.named(refusal.status, refusal.title) for refusal in refusals}


KINDS: Final[Mapping[type[StatekeeperError], Kind]] = {
    **_refusals(TooLarge, UnsupportedMediaType, NotAToken, NotVerified, NotAnEvent),
    QueryRefused: Kind.named(400, "Bad parameter"),
    NotJson: Kind.named(400, "Not JSON"),
    BodyRefused: Kind.named(422, "Body refused"),
    NotFound: Kind.named(404, "Not known"),
    AlreadyDelivered: Kind.named(409, "Already delivered"),
    NotDelivered: Kind.named(409, "Not delivered"),
    NothingHeld: Kind.named(409, "Nothing held"),
    GapMoved: Kind.named(409, "Gap moved"),
    CallbackMoved: Kind.named(409, "Callback moved"),
    NameTaken: Kind.named(409, "Name taken"),
    EndpointChanged: Kind.named(409, "Endpoint changed"),
    InSettings: Kind.named(409, "In the settings"),
    NoEncryptionKey: Kind.named(409, "No encryption key"),
    CannotBeOpened: Kind.named(409, "Cannot be opened"),
    RecoveryUnderWay: Kind.named(409, "Recovery under way"),
    PositionMoved: Kind.named(409, "Position moved"),
    TooManyConsumers: Kind.named(409, "Too many consumers"),
    TooManyEndpoints: Kind.named(409, "Too many endpoints"),
    Unavailable: Kind.named(503, "Unavailable"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal, ready to be sent."""

    kind: Kind
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def view(self) -> ProblemView:
        kind = self.kind
        errors = [FaultView(fault.field, fault.detail) for fault in self.faults]
        return ProblemView(kind.type, kind.title, kind.status, self.detail, errors)

    def response(self) -> Response[bytes]:
        challenge = {"WWW-Authenticate": "Bearer"} if self.kind.status == HTTPStatus.UNAUTHORIZED else {}
        headers = {"Cache-Control": "no-store", **challenge, **self.headers}
        body = msgspec.json.encode(self.view)
        return Response(body, status_code=self.kind.status, media_type=MEDIA_TYPE, headers=headers)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What the app answers when a handler, or the way to it, has raised."""
    problem = problem_of(error)
    if problem is None:
        log.error("request_failed", method=request.method, path=request.scope.get("path_template"), exc_info=error)
        problem = Problem(Kind(500, "Internal Server Error"), "The service has failed; its log says why.")
    return problem.response()


def problem_of(error: Exception) -> Problem | None:
    """The problem that an exception stands for, or None if it stands for a fault of ours."""
    if isinstance(error, HTTPException):
        return _http_problem(error) if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else None
    kind = next((KINDS[each] for each in type(error).__mro__ if each in KINDS), None)
    return None if kind is None else Problem(kind, str(error), _faults(error), _headers(error))


def _http_problem(error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    return Problem(Kind(status, status.phrase), f"{status.description or status.phrase}.", headers=error.headers or {})


def _faults(error: Exception) -> tuple[Fault, ...]:
    match error:
        case NotAnEvent(faults=faults) | BodyRefused(faults=faults):
            return faults
        case QueryRefused(fault=fault):
            return (fault,)
    return ()


def _headers(error: Exception) -> Mapping[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
