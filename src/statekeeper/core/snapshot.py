"""The fold's words: what a session is, what is known of an arrival, and what came of it. Values only.

A `Snapshot` and an arrival, with what is `Known` of it, go in; a `Progress` comes out, its effects as data.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.resequencer import missing


class Disposition(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    HELD = "held"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    LATE = "late"
    IGNORED = "ignored"
    REJECTED = "rejected"


class Cause(StrEnum):
    """Why a step was taken."""

    EVENT = "event"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session comes from: each member is unknown until the first event that bears it."""

    flow_id: str | None = None
    environment: str | None = None

    @property
    def complete(self) -> bool:
        return self.flow_id is not None and self.environment is not None

    def contradicts(self, event: SessionEvent) -> bool:
        return _differ(self.flow_id, event.flow_id) or _differ(self.environment, event.environment)

    def filled(self, event: SessionEvent) -> "Origin":
        if self.complete:
            return self
        return Origin(
            event.flow_id if self.flow_id is None else self.flow_id,
            event.environment if self.environment is None else self.environment,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One transition of one session; `event` is None where it was inferred and is not confirmed yet.

    `decided` and `last_step` are the session's as of this step, whatever has followed since.
    """

    ordinal: int
    source: str
    target: str
    trigger: str
    cause: Cause
    event: SessionEvent | None = None
    reason: str | None = None
    decided: Origin = field(default=Origin(), compare=False)
    last_step: LastStep | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the fold must remember of a session.

    `origin` is what any of its events said, held ones included; `decided` only what those let through said. Callbacks
    go by `decided`, or their filters would depend on the order of arrival.

    `given_up` has the numbers that the order went on without, `inferred` the triggers of the steps that no event bears.
    Both are for whoever must know whether a decision was made over a hole, and stand still once the session has ended.
    """

    session_id: UUID
    state: str
    cursor: int = 0
    held: tuple[SessionEvent, ...] = ()
    origin: Origin = Origin()
    decided: Origin = Origin()
    ordinal: int = 0
    applied: tuple[int, ...] = ()
    contiguous: bool = True
    last_step: LastStep | None = None
    given_up: tuple[int, ...] = ()
    inferred: tuple[str, ...] = ()

    @property
    def missing(self) -> list[int]:
        return missing(self.cursor, (event.sequence for event in self.held))


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows about one arrival.

    `digests`: the facts that came under its eventId. `taken`: whether an event that is no conflict bears its number.
    `unconfirmed`: the session's inferred steps that no event has confirmed yet, in order.
    """

    digests: frozenset[bytes] = frozenset()
    taken: bool = False
    unconfirmed: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What one arrival, or the closing of one gap, did: effects as data.

    `disposition` is that of the arrival (None for a gap); `settled` has the events that were held before and have had
    their turn now; `confirmed` is an earlier inferred step, its event filled in.
    """

    before: Snapshot
    after: Snapshot
    steps: tuple[Step, ...] = ()
    disposition: Disposition | None = None
    settled: tuple[tuple[SessionEvent, Disposition], ...] = ()
    confirmed: Step | None = None

    @property
    def given_up(self) -> tuple[int, ...]:
        """The numbers that a gap was made of which this closed."""
        return self.after.given_up[len(self.before.given_up) :]

    @property
    def inferred(self) -> tuple[str, ...]:
        """The triggers that were inferred in their stead."""
        return self.after.inferred[len(self.before.inferred) :]


def _differ(known: str | None, said: str | None) -> bool:
    return known is not None and said is not None and known != said
