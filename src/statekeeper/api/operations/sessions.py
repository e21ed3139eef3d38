"""What has become of a session, and how."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.contract import Answer, Operation, in_path, in_query
from statekeeper.api.operations.shapes import AWAY, BAD_LIMIT, INSTANT, PAGING, STATES, TEXT, no_uuid
from statekeeper.api.sessions import LONGEST_WAIT
from statekeeper.core.errors import (
    NotFound,
)

_SESSION: Final = in_path("sessionId", example.SESSION_ID)
_NO_SESSION: Final = NotFound("session", example.SESSION_ID)
_NO_UUID: Final = no_uuid("sessionId")

SESSIONS: Final = (
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
        refusals=(_NO_UUID, _NO_SESSION, AWAY),
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
        refusals=(_NO_UUID, _NO_SESSION, AWAY),
    ),
    Operation(
        method="get",
        path="/v1/sessions/{sessionId}/why",
        name="getWhy",
        tag="Sessions",
        summary="Why a session stands as it does",
        description=(
            "In English, for people: one or two sentences about the session (what it waits for and since when, what"
            " happens next, what is amiss), one for each event, and one for each callback, as of now. The texts may be"
            " worded otherwise in a later version; what a program must know is in the history."
        ),
        parameters=(_SESSION,),
        answers={200: Answer("The sentences.", example.WHY)},
        refusals=(_NO_UUID, _NO_SESSION, AWAY),
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
                STATES,
                ["completed"],
            ),
            in_query("terminal", "Whether the session has ended.", {"type": "boolean"}, sample=True),
            in_query("environment", "The provider's environment.", TEXT, "staging"),
            in_query("flowId", "The provider's flow.", TEXT, example.SESSION.flow_id),
            in_query("updatedAfter", "Changed after this time.", INSTANT, example.SESSION.first_seen_at),
            in_query("updatedBefore", "Changed before this time.", INSTANT, "2026-01-09T00:00:00Z"),
            *PAGING,
        ),
        answers={200: Answer("One page.", example.PAGE)},
        refusals=(BAD_LIMIT, AWAY),
    ),
)
