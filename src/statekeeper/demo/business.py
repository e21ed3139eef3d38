"""The business code of the demo: what a user of Statekeeper writes. The service loads it from this file.

Each function notes what it was told in a ledger in the service's working directory, where the demo reads it. One of
them fails now and then, once for each callback, so that there is something to retry.
"""

import json
from pathlib import Path
from typing import Final
from uuid import UUID

from statekeeper import RetryLater, SessionEnded, on_terminal

LEDGER: Final = Path("ledger.jsonl")
_FAILS: Final = 10

_failed: set[UUID] = set()


@on_terminal(name="note_every_end")
async def note_every_end(ended: SessionEnded) -> None:
    """Told of every end, on a loop of its own."""
    _note("note_every_end", ended)


@on_terminal("completed", environment="live", name="open_account")
def open_account(ended: SessionEnded) -> None:
    """Told of some ends, in a thread; one in ten has to be told twice."""
    if ended.callback_id.int % _FAILS == 0 and ended.callback_id not in _failed:
        _failed.add(ended.callback_id)
        raise RetryLater(0.2)
    _note("open_account", ended)


def _note(function: str, ended: SessionEnded) -> None:
    line = {"function": function, "callbackId": str(ended.callback_id), "sessionId": str(ended.session_id)}
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps({**line, "state": ended.state}) + "\n")
