"""What people do, and the trail of it."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.acts import ClosingRequest, NoteRequest
from statekeeper.api.contract import Answer, Operation, Takes, in_path, in_query
from statekeeper.api.operations.shapes import AWAY, BAD_LIMIT, INSTANT, TEXT, no_uuid
from statekeeper.core.acts import BAD_NOTE, BAD_REASON, Deed
from statekeeper.core.errors import GapMoved, NotFound, NothingHeld
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT

_ID: Final = {"type": "string", "format": "uuid"}
_DEEDS: Final = {"type": "string", "enum": [deed.value for deed in Deed]}
_SESSION: Final = in_path("sessionId", example.SESSION_ID)
_NONE: Final = NotFound("session", example.SESSION_ID)
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}

ACTS: Final = (
    Operation(
        method="post",
        path="/v1/sessions/{sessionId}/close-gap",
        name="closeGap",
        tag="Acts",
        summary="Give up on a session's first gap now",
        description=(
            "What would happen once `ordering.gap_timeout` is over happens at once, with the same steps, callbacks and"
            " notices. With `expected`, the numbers that a dry run has named, nothing else is closed. A reason is"
            " needed, but for a dry run. Needs `support`."
        ),
        parameters=(_SESSION, in_query("dryRun", "Only say what it would come to.", {"type": "boolean"}, sample=True)),
        takes=Takes(ClosingRequest("the provider says that it is lost", [1]), BAD_REASON, required=False),
        answers={200: Answer("The entry in the audit trail; its `effect` is what the dry run said.", example.CLOSED)},
        refusals=(
            no_uuid("sessionId"),
            _NONE,
            NothingHeld(example.SESSION_ID),
            GapMoved(example.SESSION_ID),
            AWAY,
        ),
    ),
    Operation(
        method="post",
        path="/v1/sessions/{sessionId}/notes",
        name="addNote",
        tag="Acts",
        summary="Add a note to a session",
        description="It stands in the audit trail and in the session's story. Needs `support`.",
        parameters=(_SESSION,),
        takes=Takes(NoteRequest("Called the customer, ticket 4711"), BAD_NOTE),
        answers={201: Answer("The entry in the audit trail.", example.NOTED)},
        refusals=(no_uuid("sessionId"), _NONE, AWAY),
    ),
    Operation(
        method="get",
        path="/v1/audit",
        name="listAudit",
        tag="Acts",
        summary="What people did, the newest first",
        description=(
            "Who, when, by which door and from where, why, and what it changed. Entries are never changed or deleted."
            " Follow `nextCursor` until it is null. Needs `support`, since reasons may name customers."
        ),
        parameters=(
            in_query("actor", "The name of a token or a user.", TEXT, "anna"),
            in_query("act", "Only acts of this kind.", _DEEDS, Deed.CLOSE_GAP.value),
            in_query("sessionId", "Only what was done to this session.", _ID, str(example.SESSION_ID)),
            in_query("callbackId", "Only what was done to this callback.", _ID, str(example.CALLBACK_ID)),
            in_query("subject", "Only what was done to this endpoint, subscriber or consumer.", TEXT, "crm"),
            in_query("since", "From this time on.", INSTANT, "2026-01-08T00:00:00Z"),
            in_query("until", "Before this time.", INSTANT, "2026-01-09T00:00:00Z"),
            in_query("limit", "How many at most.", _LIMIT, DEFAULT_LIMIT),
            in_query("cursor", "The `nextCursor` of the page before.", {"type": "string"}, "17"),
        ),
        answers={200: Answer("One page.", example.AUDIT)},
        refusals=(BAD_LIMIT, AWAY),
    ),
)
