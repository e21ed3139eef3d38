"""What a sender saw: how much it sent, how it was answered, and what was answered wrong.

A sender expects a 2xx for each event of its own in the end, and 401 for each forgery. A 503 is passing; it loses
nothing where the event has been taken already.
"""

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from statekeeper.simulator.stories import Delivery, Fault, Story


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, or None and the name of what happened instead; and the disposition, if it told one."""

    status: int | None
    outcome: str
    disposition: str | None = None

    @property
    def passing(self) -> bool:
        """Whether the service could not answer this time."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def refused(self) -> bool:
        return self.status is None or not HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery whose last answer was not the one expected."""

    session_id: UUID
    delivery: Delivery
    answer: Answer

    def __str__(self) -> str:
        if self.delivery.forgery:
            return f"session {self.session_id}: forged ({self.delivery.forgery}), answered {self.answer.outcome}"
        return f"session {self.session_id}: {self.delivery.event.name}, answered {self.answer.outcome}"


@dataclass(slots=True)
class Tally:
    """Counts of one run. `planned` and `done` are deliveries, those that never leave included."""

    planned: int = 0
    done: int = 0
    requests: int = 0
    retried: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    taken: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)

    @property
    def as_expected(self) -> bool:
        return not self.failures

    @property
    def sent(self) -> int:
        """How many events were sent at least once; `taken` has the ids of those that were answered 2xx."""
        return sum(self.faults[fault] for fault in (Fault.NONE, Fault.REORDERED, Fault.DELAYED))

    def count_departure(self, delivery: Delivery, *, again: bool = False) -> None:
        """A delivery leaves, or is lost on its way; or leaves again, since it was not answered well."""
        if again:
            self.retried += 1
        else:
            self.faults[delivery.fault] += 1

    def count_answer(self, answer: Answer) -> None:
        self.requests += 1
        self.answers[answer.outcome] += 1
        if answer.disposition:
            self.dispositions[answer.disposition] += 1

    def count_end(self, story: Story, delivery: Delivery, answer: Answer) -> None:
        """The last answer to a delivery."""
        event_id = delivery.event.event_id
        if delivery.forgery and answer.status == HTTPStatus.UNAUTHORIZED:
            self.refused[delivery.forgery] += 1
        elif not delivery.forgery and not answer.refused:
            self.taken.add(event_id)
        elif event_id not in self.taken or answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            self.failures.append(Failure(story.session_id, delivery, answer))

    def to_json(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "taken": len(self.taken),
            **{str(fault): self.faults[fault] for fault in Fault if fault is not Fault.NONE},
            "retried": self.retried,
            "requests": self.requests,
            "answers": dict(sorted(self.answers.items())),
            "dispositions": dict(sorted(self.dispositions.items())),
            "refused": dict(sorted(self.refused.items())),
            "failures": [str(failure) for failure in self.failures],
            "asExpected": self.as_expected,
        }
