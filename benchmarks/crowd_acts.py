"""What people did about the sessions of a crowd, as rows of the audit trail: one act for every 25 sessions.

Most are notes and retries by the many of support; some are of admins, on endpoints. One admin acted in the first days
of the year and never again, and one endpoint was made then, so that whoever filters by these has the whole trail passed
over. What is drawn here is drawn apart, and leaves the crowd as it is.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from benchmarks.crowd import SEED, SUBSCRIBERS, Story
from benchmarks.crowd_rows import callback_rows
from statekeeper.core.acts import Deed

ACTORS: Final = tuple(f"support-{number:02}" for number in range(20))
RARE_ACTOR, RARE_ENDPOINT = "founder", "the first one"
_ONE_IN: Final = 25
_RARE: Final = 3
_LATER: Final = timedelta(minutes=15)
_ON_SESSIONS: Final = {Deed.NOTE: 60, Deed.RETRY: 25, Deed.RESEND: 8, Deed.CLOSE_GAP: 2}
_ON_ENDPOINTS: Final = {Deed.ENDPOINT_PING: 3, Deed.ENDPOINT_DISABLE: 1, Deed.ENDPOINT_ENABLE: 1}
_OF_CALLBACKS: Final = (Deed.RETRY, Deed.RESEND)
_Row = dict[str, Any]


@dataclass(slots=True)
class Acts:
    """Draws what people did, session by session, the eldest first; `number` is how many acts there are so far."""

    one_in: int = _ONE_IN
    number: int = 0
    draw: random.Random = field(default_factory=lambda: random.Random(SEED))

    def rows(self, story: Story) -> Iterator[_Row]:
        if self.draw.random() >= 1 / self.one_in:
            return
        self.number += 1
        likely = _ON_SESSIONS | _ON_ENDPOINTS
        deed = self.draw.choices(tuple(likely), tuple(likely.values()))[0]
        if self.number <= _RARE:
            yield _row(story, RARE_ACTOR, Deed.ENDPOINT_CREATE) | {"subject": RARE_ENDPOINT}
        elif deed in _ON_ENDPOINTS:
            yield _row(story, self._somebody(), deed) | {"subject": self.draw.choice(SUBSCRIBERS)}
        else:
            yield _row(story, self._somebody(), deed) | _on(story, deed)

    def _somebody(self) -> str:
        return self.draw.choice(ACTORS)


def _row(story: Story, actor: str, deed: Deed) -> _Row:
    return {
        "at": story.begun_at + _LATER,
        "actor": actor,
        "role": "admin" if deed in {Deed.ENDPOINT_CREATE, *_ON_ENDPOINTS} else "support",
        "via": "console",
        "origin": "192.0.2.7",
        "act": deed.value,
        "session_id": None,
        "callback_id": None,
        "subject": None,
        "reason": f"Ticket {story.session_id.hex[:6]}: the customer has called and asks what became of it",
        "effect": {"dueAt": story.begun_at.isoformat(), "attempt": 11},
        "account": {"iss": "https://id.bank.example", "sub": f"{actor}@bank.example"},
    }


def _on(story: Story, deed: Deed) -> _Row:
    """The session, and of what is done to callbacks its first one, if it has one."""
    callbacks = [row["callback_id"] for row in callback_rows(story)] if deed in _OF_CALLBACKS else []
    return {"session_id": story.session_id, "callback_id": callbacks[0] if callbacks else None}
