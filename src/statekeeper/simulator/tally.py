"""What a sender saw: how much it sent, how it was answered, and what was answered wrong.

A sender expects a 2xx for each event of its own in the end, and 401 for each forgery. A 503 is passing, as is no answer
at all: it loses nothing where the event is taken before or after.
"""

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from statekeeper.simulator.stories import Delivery, Fault, Forgery, Story


def in_words(outcome: str) -> str:
    """An answer's `outcome` for a person: whether somebody answered, and what."""
    return f"answered {outcome}" if outcome.isdigit() else f"no answer: {outcome}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, or None and the name of what happened instead; and the disposition, if it told one."""

    status: int | None
    outcome: str
    disposition: str | None = None

    def __str__(self) -> str:
        return in_words(self.outcome)

    @property
    def passing(self) -> bool:
        """Whether the service could not answer this time."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def away(self) -> bool:
        """Whether nobody was there, or somebody said that it could not be now."""
        return self.status in {None, HTTPStatus.SERVICE_UNAVAILABLE}

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
            return f"session {self.session_id}: forged ({self.delivery.forgery}), {self.answer}"
        return f"session {self.session_id}: {self.delivery.event.name}, {self.answer}"


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
    failed: dict[tuple[str, Forgery | None], Failure] = field(default_factory=dict)

    @property
    def failures(self) -> list[Failure]:
        """One for each event, and each forgery of it, that was not answered as it should be in the end."""
        return [*self.failed.values()]

    @property
    def as_expected(self) -> bool:
        return not self.failed

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
        """The last answer to a delivery; an event that is taken at last withdraws what failed before."""
        event_id = delivery.event.event_id
        if delivery.forgery and answer.status == HTTPStatus.UNAUTHORIZED:
            self.refused[delivery.forgery] += 1
        elif not delivery.forgery and not answer.refused:
            self.taken.add(event_id)
            self.failed.pop((event_id, None), None)
        elif delivery.forgery or event_id not in self.taken or not answer.away:
            self.failed[event_id, delivery.forgery] = Failure(story.session_id, delivery, answer)

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
