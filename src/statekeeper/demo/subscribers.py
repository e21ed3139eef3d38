"""Who is told of ended sessions in the demo: an HTTP receiver here, and the functions of `business` in the service.

The receiver believes nobody: it checks each signature by itself, from the Standard Webhooks specification, and not by
the code that signed it. It refuses one callback in ten once, so that there is something to retry. `business` writes a
ledger; `read_ledger` reads it from another process, while it grows.
"""

import base64
import hmac
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import UUID

from statekeeper.simulator.listener import Reply, Request

ENDPOINT: Final = "crm"
_REFUSES: Final = 10


@dataclass(frozen=True, slots=True)
class Notice:
    """That a session has ended so, as told to one subscriber."""

    subscriber: str
    session_id: UUID
    state: str


Notices = dict[Notice, set[UUID]]
"""Each notice with the callback ids that it came under: one, however often it came."""


@dataclass(slots=True)
class Inbox:
    """The HTTP receiver: `notices` are those that it has taken, `unsigned` counts those that it does not believe."""

    secret: str
    notices: Notices = field(default_factory=dict)
    refused: set[UUID] = field(default_factory=set)
    unsigned: int = 0

    def answer(self, request: Request) -> Reply:
        if not self._is_signed(request):
            self.unsigned += 1
            return Reply(HTTPStatus.UNAUTHORIZED)
        callback_id, data = UUID(request.headers["webhook-id"]), json.loads(request.body)["data"]
        if callback_id.int % _REFUSES == 0 and callback_id not in self.refused:
            self.refused.add(callback_id)
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE)
        _note(self.notices, ENDPOINT, data, callback_id)
        return Reply(HTTPStatus.OK)

    def _is_signed(self, request: Request) -> bool:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        stamps = (request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", ""))
        right = hmac.digest(key, ".".join((*stamps, "")).encode() + request.body, "sha256")
        given = request.headers.get("webhook-signature", "")
        return f"v1,{base64.b64encode(right).decode()}" in given.split(" ")


def read_ledger(path: Path) -> Notices:
    """What the functions have been told so far; a line that is being written does not count yet."""
    notices: Notices = {}
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.split("\n")[:-1]:
        entry = json.loads(line)
        _note(notices, entry["function"], entry, UUID(entry["callbackId"]))
    return notices


def _note(notices: Notices, subscriber: str, data: dict[str, str], callback_id: UUID) -> None:
    notices.setdefault(Notice(subscriber, UUID(data["sessionId"]), data["state"]), set()).add(callback_id)
