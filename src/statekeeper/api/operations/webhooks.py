"""What the provider sends."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.access import WEBHOOK
from statekeeper.api.bodies import LIMIT
from statekeeper.api.contract import Answer, Operation
from statekeeper.api.operations.shapes import AWAY
from statekeeper.core.errors import (
    Fault,
    NotAnEvent,
    NotAToken,
    NotVerified,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

_FULL: Final = Unavailable("The intake queue is full.", reason="queue_full", retry_after=1)
_FAULTS: Final = (Fault("data.payload.sessionId", "must be a UUID in its canonical form"),)

WEBHOOKS: Final = (
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
            AWAY,
            _FULL,
        ),
        protected=False,
    ),
)
