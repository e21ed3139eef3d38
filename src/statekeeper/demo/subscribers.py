"""Who is told of ended sessions in the demo: an HTTP receiver here, and the functions of `business` in the service.

The receiver believes nobody: each signature is judged by the library of Standard Webhooks (`statekeeper.receiver`),
and not by the code that signed it. It refuses one callback in ten once, so that there is something to retry, and as
the broken endpoint it takes none at all. `business` writes a ledger; `read_ledger` reads it from another process, while
it grows.
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import UUID

from statekeeper.receiver import CallbackRefused, verify
from statekeeper.simulator.listener import Reply, Request

ENDPOINT: Final = "crm"
BROKEN: Final = "archive"
BROKEN_PATH: Final = "/archive"
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
        try:
            delivery = verify(request.headers, request.body, self.secret)
        except CallbackRefused:
            self.unsigned += 1
            return Reply(HTTPStatus.UNAUTHORIZED)
        if request.path == BROKEN_PATH:
            return Reply(HTTPStatus.INSUFFICIENT_STORAGE, {"error": "the archive's disk is full"})
        if delivery.callback_id.int % _REFUSES == 0 and delivery.callback_id not in self.refused:
            self.refused.add(delivery.callback_id)
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE)
        _note(self.notices, ENDPOINT, delivery.data, delivery.callback_id)
        return Reply(HTTPStatus.OK)


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
