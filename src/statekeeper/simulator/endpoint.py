"""A subscriber's endpoint for practice: it verifies each callback, remembers it, and answers as it is told to.

What cannot be believed is answered 401, whatever the habits; they are for what is. Which callbacks fail or hang is
drawn by a seed, twice for each callback, so that the same seed means the same bad luck with either switch.
"""

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any
from uuid import UUID

from statekeeper.core.instants import rfc3339
from statekeeper.receiver import CallbackRefused, Delivery, verify
from statekeeper.simulator.listener import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How it answers what it believes: `fail` (500) and `hang` (no answer) are shares, `retry_after` seconds."""

    status: HTTPStatus = HTTPStatus.OK
    receipt: str | None = None
    fail: float = 0.0
    hang: float = 0.0
    delay: float = 0.0
    retry_after: int | None = None

    def reply(self, dice: Random) -> Reply:
        hangs, fails = dice.random() < self.hang, dice.random() < self.fail
        status = HTTPStatus.INTERNAL_SERVER_ERROR if fails else self.status
        taken = status // 100 == 2  # noqa: PLR2004 -- 2xx
        document = {"receipt": self.receipt} if taken and self.receipt is not None else None
        pause = {} if taken or self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Reply(status, document, pause, after=None if hangs else self.delay)


@dataclass(frozen=True, slots=True)
class Heard:
    """One request and what was made of it: `delivery`, or the `reason` why it is not believed."""

    reply: Reply
    delivery: Delivery | None = None
    repeat: bool = False
    reason: str | None = None

    @property
    def status(self) -> int | None:
        """What is answered; None for no answer."""
        return None if self.reply.after is None else int(self.reply.status)

    def to_json(self) -> dict[str, Any]:
        delivery = self.delivery
        return {
            "verified": delivery is not None,
            "reason": self.reason,
            "callbackId": str(delivery.callback_id) if delivery else None,
            "type": delivery.type if delivery else None,
            "timestamp": rfc3339(delivery.timestamp) if delivery else None,
            "data": delivery.data if delivery else None,
            "repeat": self.repeat,
            "status": self.status,
        }


@dataclass(slots=True)
class PracticeEndpoint:
    """`hear` answers one request; `seen` has how often each callback came, `answers` what was answered how often."""

    secrets: tuple[str, ...] = field(repr=False)
    habits: Habits
    dice: Random
    seen: Counter[UUID] = field(default_factory=Counter)
    answers: Counter[int | None] = field(default_factory=Counter)
    unverified: int = 0

    def hear(self, request: Request) -> Heard:
        heard = self._judge(request)
        self.answers[heard.status] += 1
        return heard

    def counts(self) -> dict[str, Any]:
        """The sum of it all; `unanswered` are those that it left hanging."""
        answers = {str(status): count for status, count in sorted(self.answers.items(), key=str) if status}
        return {
            "requests": self.answers.total(),
            "callbacks": len(self.seen),
            "repeats": self.seen.total() - len(self.seen),
            "unverified": self.unverified,
            "unanswered": self.answers[None],
            "answers": answers,
        }

    def _judge(self, request: Request) -> Heard:
        if request.method != "POST":
            return Heard(Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}), reason="Not a POST")
        try:
            delivery = verify(request.headers, request.body, self.secrets)
        except CallbackRefused as refused:
            self.unverified += 1
            return Heard(Reply(HTTPStatus.UNAUTHORIZED, {"detail": str(refused)}), reason=str(refused))
        self.seen[delivery.callback_id] += 1
        return Heard(self.habits.reply(self.dice), delivery, repeat=self.seen[delivery.callback_id] > 1)
