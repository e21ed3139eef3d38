"""Every operation of the API as data, for the reference: what it takes, what it answers, what it refuses.

Examples of answers are views and examples of refusals are exceptions, so that neither can say what is never sent.
"""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.access import WEBHOOK
from statekeeper.api.contract import Answer, Operation, in_path, in_query
from statekeeper.api.health import LiveView, ReadyView
from statekeeper.api.sessions import LONGEST_WAIT
from statekeeper.api.webhooks import LIMIT
from statekeeper.core.errors import (
    AlreadyDelivered,
    Fault,
    NotAnEvent,
    NotAToken,
    NotFound,
    NotVerified,
    QueryRefused,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from statekeeper.resources import default_chart
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 255}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_SESSION: Final = in_path("sessionId", str(example.SESSION_ID))
_NO_SESSION: Final = NotFound("session", example.SESSION_ID)
_NO_UUID: Final = QueryRefused("sessionId", "must be a UUID in its canonical form")
_AWAY: Final = Unavailable("The store does not answer, or is full.", reason="store")
_FULL: Final = Unavailable("The intake queue is full.", reason="queue_full", retry_after=1)
_FAULTS: Final = (Fault("data.payload.sessionId", "must be a UUID in its canonical form"),)

OPERATIONS: Final = (
    Operation(
        method="post",
        path=WEBHOOK,
        name="receiveWebhook",
        tag="Webhooks in",
        summary="Take a webhook",
        description=(
            "The body is the compact JWT as the provider signs it. Every verified event is answered 200 once it is on"
            " disk, whatever it did; what it did is its `disposition`: `applied`, `held`, `duplicate`, `conflict`,"
            " `late`, `ignored` or `rejected`. A refusal changes no session."
        ),
        body={"application/jwt": {"schema": {"type": "string"}, "examples": {"example": {"value": example.TOKEN}}}},
        answers={200: Answer("The event is on disk.", example.RECEIPT)},
        refusals=(
            TooLarge(LIMIT),
            UnsupportedMediaType("The Content-Type of a webhook is application/jwt."),
            NotAToken("The body is not three base64url parts."),
            NotVerified("The signature is wrong.", reason="signature"),
            NotAnEvent(_FAULTS),
            _AWAY,
            _FULL,
        ),
    ),
    Operation(
        method="get",
        path="/v1/sessions/{sessionId}",
        name="getSession",
        tag="Sessions",
        summary="One session as it stands",
        description=(
            "With `wait` the answer is held until the session is terminal, or until that many seconds are over; an"
            " unknown session may still appear. The entity tag moves when anything in the document does."
        ),
        parameters=(
            _SESSION,
            in_query(
                "wait", "Seconds to wait for the end.", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}, 30
            ),
            {
                "name": "If-None-Match",
                "in": "header",
                "description": "Entity tags that the client has already, or `*`.",
                "schema": {"type": "string"},
            },
        ),
        answers={
            200: Answer("The session.", example.SESSION, headers={"ETag": "A hash of the document."}),
            304: Answer("The client has this document already.", headers={"ETag": "A hash of the document."}),
        },
        refusals=(_NO_UUID, _NO_SESSION, _AWAY),
        protected=True,
    ),
    Operation(
        method="get",
        path="/v1/sessions/{sessionId}/history",
        name="getHistory",
        tag="Sessions",
        summary="How a session came to be what it is",
        description=(
            "Every transition, every event with all its arrivals, and every callback with all its attempts, as of one"
            " moment. An inferred transition has no event until a late one confirms it."
        ),
        parameters=(_SESSION,),
        answers={200: Answer("The history.", example.HISTORY)},
        refusals=(_NO_UUID, _NO_SESSION, _AWAY),
        protected=True,
    ),
    Operation(
        method="get",
        path="/v1/sessions",
        name="listSessions",
        tag="Sessions",
        summary="Sessions, the newest change first",
        description=(
            "Follow `nextCursor` until it is null. No session comes twice in a walk; one that changes meanwhile moves"
            " to the front, where the next walk finds it."
        ),
        parameters=(
            in_query(
                "state",
                "One of these states; may be given several times.",
                {"type": "array", "items": {"type": "string", "enum": list(default_chart().states)}},
                ["completed"],
            ),
            in_query("terminal", "Whether the session has ended.", {"type": "boolean"}, sample=True),
            in_query("environment", "The provider's environment.", _TEXT, "staging"),
            in_query("flowId", "The provider's flow.", _TEXT, example.SESSION.flow_id),
            in_query("updatedAfter", "Changed after this time.", _INSTANT, example.SESSION.first_seen_at),
            in_query("updatedBefore", "Changed before this time.", _INSTANT, "2026-01-09T00:00:00Z"),
            in_query(
                "limit",
                "How many at most.",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                DEFAULT_LIMIT,
            ),
            in_query("cursor", "The `nextCursor` of the page before.", {"type": "string"}, example.PAGE.next_cursor),
        ),
        answers={200: Answer("One page.", example.PAGE)},
        refusals=(QueryRefused("limit", f"must be an integer from 1 to {MAX_LIMIT}"), _AWAY),
        protected=True,
    ),
    Operation(
        method="post",
        path="/v1/callbacks/{callbackId}/retry",
        name="retryCallback",
        tag="Callbacks",
        summary="Send a callback again",
        description="It is due at once, with a fresh schedule; the numbers of its attempts go on. Needs `support`.",
        parameters=(in_path("callbackId", str(example.CALLBACK_ID)),),
        answers={202: Answer("The callback is due.", example.RETRY)},
        refusals=(
            QueryRefused("callbackId", "must be a UUID in its canonical form"),
            NotFound("callback", example.CALLBACK_ID),
            AlreadyDelivered(example.CALLBACK_ID),
            _AWAY,
        ),
        protected=True,
    ),
    Operation(
        method="get",
        path="/health/live",
        name="getLiveness",
        tag="Operation",
        summary="Whether the process lives",
        description="A process that does not answer this should be restarted.",
        answers={200: Answer("It does.", LiveView("live"))},
    ),
    Operation(
        method="get",
        path="/health/ready",
        name="getReadiness",
        tag="Operation",
        summary="Whether webhooks can be taken now",
        description="The store answers, keys have been had, and the tasks run. Do not restart for want of it.",
        answers={
            200: Answer("They can.", ReadyView("ready", {"store": True, "keys": True, "tasks": True, "writes": True})),
            503: Answer(
                "They cannot.", ReadyView("unready", {"store": True, "keys": False, "tasks": True, "writes": True})
            ),
        },
    ),
    Operation(
        method="get",
        path="/metrics",
        name="getMetrics",
        tag="Operation",
        summary="The figures, for Prometheus",
        description="In the text format of Prometheus.",
        answers={
            200: Answer(
                "The figures.",
                media_type="text/plain",
                text='statekeeper_events_total{disposition="applied"} 2.0\n',
            )
        },
        protected=True,
    ),
)
