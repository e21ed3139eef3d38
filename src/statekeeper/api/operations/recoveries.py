"""Many callbacks at once."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.bodies import LIMIT
from statekeeper.api.contract import Answer, Json, Operation, in_path, in_query
from statekeeper.api.operations.shapes import AWAY, INSTANT
from statekeeper.api.recoveries import BAD_SINCE
from statekeeper.core.errors import (
    NotFound,
    NotJson,
    QueryRefused,
    RecoveryUnderWay,
    TooLarge,
    UnsupportedMediaType,
)
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT

_NAME: Final[Json] = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The subscriber: an endpoint or a broker by its name, a function by its `module:name`.",
    "schema": {"type": "string"},
    "example": "crm",
}
_BODY: Final[Json] = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {"since": INSTANT, "dryRun": {"type": "boolean", "default": False}},
            "required": ["since"],
            "additionalProperties": False,
        },
        "examples": {"example": {"value": {"since": "2026-01-08T06:00:00Z", "dryRun": True}}},
    }
}
_ANSWERS: Final = {
    200: Answer("With `dryRun`: how many callbacks it would be. Nothing has changed.", example.RECOVERY_PLAN),
    202: Answer("It has begun.", example.RECOVERY, headers={"Location": "Where its progress is told."}),
}
_REFUSALS: Final = (
    TooLarge(LIMIT),
    UnsupportedMediaType("The Content-Type of this body is application/json, without a Content-Encoding."),
    NotJson(),
    NotFound("subscriber", "crm"),
    RecoveryUnderWay(example.RECOVERY.recovery_id),
    BAD_SINCE,
    AWAY,
)

RECOVERIES: Final = (
    Operation(
        method="post",
        path="/v1/endpoints/{name}/recover",
        name="recoverEndpoint",
        tag="Callbacks",
        summary="Send all dead callbacks of a subscriber again",
        description=(
            "Those that were created since a time: each is due at once, with a fresh schedule, and the numbers of its"
            " attempts go on. One that dies again meanwhile is left for the next recovery. Needs `support`."
        ),
        parameters=(_NAME,),
        body=_BODY,
        answers=_ANSWERS,
        refusals=_REFUSALS,
        protected=True,
    ),
    Operation(
        method="post",
        path="/v1/endpoints/{name}/backfill",
        name="backfillEndpoint",
        tag="Callbacks",
        summary="Send a subscriber what it has missed",
        description=(
            "A callback of every session that ended since a time and fits the subscriber's filters, but for those that"
            " it has one of already: the same callbackId and body as if it had been there. Of steps that did not end a"
            " session nothing is sent after the fact. Needs `support`."
        ),
        parameters=(_NAME,),
        body=_BODY,
        answers=_ANSWERS,
        refusals=_REFUSALS,
        protected=True,
    ),
    Operation(
        method="get",
        path="/v1/recoveries/{recoveryId}",
        name="getRecovery",
        tag="Callbacks",
        summary="One recovery, and how far it is",
        description=(
            "`total` is as counted at the beginning, `done` what has been made due since; `finishedAt` is null until"
            " all has been looked at."
        ),
        parameters=(in_path("recoveryId", str(example.RECOVERY.recovery_id)),),
        answers={200: Answer("The recovery.", example.RECOVERY)},
        refusals=(
            QueryRefused("recoveryId", "must be a UUID in its canonical form"),
            NotFound("recovery", example.RECOVERY.recovery_id),
            AWAY,
        ),
        protected=True,
    ),
    Operation(
        method="get",
        path="/v1/recoveries",
        name="listRecoveries",
        tag="Callbacks",
        summary="Recoveries, the newest first",
        description="Those that are under way and those that are finished. Follow `nextCursor` until it is null.",
        parameters=(
            in_query(
                "limit",
                "How many at most.",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                DEFAULT_LIMIT,
            ),
            in_query("cursor", "The `nextCursor` of the page before.", {"type": "string"}, example.PAGE.next_cursor),
        ),
        answers={200: Answer("One page.", example.RECOVERIES)},
        refusals=(QueryRefused("limit", f"must be an integer from 1 to {MAX_LIMIT}"), AWAY),
        protected=True,
    ),
)
