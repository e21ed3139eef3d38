"""Many callbacks at once."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.contract import Answer, Operation, Takes, in_path, in_path_as
from statekeeper.api.operations.shapes import AWAY, BAD_LIMIT, PAGING, no_uuid
from statekeeper.api.recoveries import BAD_SINCE, RecoveryRequest
from statekeeper.core.errors import (
    NotFound,
    RecoveryUnderWay,
)

_NAME: Final = in_path_as(
    "name",
    "The subscriber: an endpoint or a broker by its name, a function by its `module:name`.",
    {"type": "string"},
    "crm",
)
_TAKES: Final = Takes(RecoveryRequest("2026-01-08T06:00:00Z", dry_run=True), BAD_SINCE)
_ANSWERS: Final = {
    200: Answer("With `dryRun`: how many callbacks it would be. Nothing has changed.", example.RECOVERY_PLAN),
    202: Answer("It has begun.", example.RECOVERY, headers={"Location": "Where its progress is told."}),
}
_REFUSALS: Final = (NotFound("subscriber", "crm"), RecoveryUnderWay(example.RECOVERY.recovery_id), AWAY)

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
        takes=_TAKES,
        answers=_ANSWERS,
        refusals=_REFUSALS,
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
        takes=_TAKES,
        answers=_ANSWERS,
        refusals=_REFUSALS,
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
        parameters=(in_path("recoveryId", example.RECOVERY.recovery_id),),
        answers={200: Answer("The recovery.", example.RECOVERY)},
        refusals=(
            no_uuid("recoveryId"),
            NotFound("recovery", example.RECOVERY.recovery_id),
            AWAY,
        ),
    ),
    Operation(
        method="get",
        path="/v1/recoveries",
        name="listRecoveries",
        tag="Callbacks",
        summary="Recoveries, the newest first",
        description="Those that are under way and those that are finished. Follow `nextCursor` until it is null.",
        parameters=(*PAGING,),
        answers={200: Answer("One page.", example.RECOVERIES)},
        refusals=(BAD_LIMIT, AWAY),
    ),
)
