"""What business code is told."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.callbacks import ActRequest
from statekeeper.api.contract import Answer, Operation, Takes, in_path, in_query
from statekeeper.api.operations.shapes import AWAY, no_uuid
from statekeeper.core.acts import BAD_REASON
from statekeeper.core.errors import (
    AlreadyDelivered,
    NotDelivered,
    NotFound,
)

CALLBACKS: Final = (
    Operation(
        method="post",
        path="/v1/callbacks/{callbackId}/retry",
        name="retryCallback",
        tag="Callbacks",
        summary="Send a callback again",
        description="It is due at once, with a fresh schedule; the numbers of its attempts go on. Needs `support`.",
        parameters=(
            in_path("callbackId", example.CALLBACK_ID),
            in_query("dryRun", "Only say what would be sent again.", {"type": "boolean"}, sample=True),
        ),
        takes=Takes(ActRequest("the CRM is up again"), BAD_REASON, required=False),
        answers={
            200: Answer("With `dryRun`: the callback as it is. Nothing has changed.", example.RETRY_PLAN),
            202: Answer("The callback is due.", example.RETRY),
        },
        refusals=(
            no_uuid("callbackId"),
            NotFound("callback", example.CALLBACK_ID),
            AlreadyDelivered(example.CALLBACK_ID),
            AWAY,
        ),
    ),
    Operation(
        method="post",
        path="/v1/callbacks/{callbackId}/resend",
        name="resendCallback",
        tag="Callbacks",
        summary="Send a delivered callback once more",
        description=(
            "The same callbackId and body, so that its receiver can tell; a fresh schedule, and the numbers of its"
            " attempts go on. A reason is needed, but for a dry run. Needs `support`."
        ),
        parameters=(
            in_path("callbackId", example.CALLBACK_ID),
            in_query("dryRun", "Only say what would be sent once more.", {"type": "boolean"}, sample=True),
        ),
        takes=Takes(ActRequest("the CRM has lost it"), BAD_REASON, required=False),
        answers={
            200: Answer("With `dryRun`: the callback as it is. Nothing has changed.", example.RESEND_PLAN),
            202: Answer("The callback is due.", example.RETRY),
        },
        refusals=(
            no_uuid("callbackId"),
            NotFound("callback", example.CALLBACK_ID),
            NotDelivered(example.CALLBACK_ID),
            AWAY,
        ),
    ),
)
