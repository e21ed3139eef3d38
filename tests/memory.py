"""One session in memory, kept as a store must keep it, that checks at every move what must always be true.

`MemorySession.hear(event)` and `close_gap()` go through the fold under test; what is checked here, and what an event, a
step or a number given up on means, is written anew, so that the fold is not measured by itself.
"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from statekeeper.core.callbacks import Callback, callbacks_due
from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.machine import Cause, Disposition, Known, Progress, Snapshot, Step, advance, close_gap
from statekeeper.core.statechart import Statechart
from statekeeper.core.subscribers import Scope, Subscriber

SESSION = UUID("fe1941c2-0000-4000-8000-000000000000")
NOW = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)
EVERYBODY = (
    Subscriber("everybody"),
    Subscriber("live", environments=frozenset({"live"})),
    Subscriber("steps", scope=Scope.ALL),
)


def said(number: int, name: str, event_id: str | None = None, **more) -> SessionEvent:
    """An event as the tolerant reader gives it; its id is made of its number unless it is given."""
    return SessionEvent(event_id or f"event-{number}", name, number, SESSION, **more)


def again(event: SessionEvent) -> SessionEvent:
    """The same event, sent again: another delivery, the same facts."""
    return replace(event, deliver_id="again", sent_at=NOW)


def told(session: "MemorySession") -> list[tuple[str, int | None]]:
    """The history in short: triggers, each with the number that bears it or None."""
    return [(step.trigger, step.event.sequence if step.event else None) for step in session.steps]


def ended_at(step: str) -> LastStep:
    return LastStep(step, "END", "COMPLETED")


class MemorySession:
    """`became` has what finally became of each event, `steps` the history, `owed` all callbacks."""

    def __init__(self, chart: Statechart):
        self.chart = chart
        self.snapshot = Snapshot(SESSION, chart.initial)
        self.became: dict[str, Disposition] = {}
        self.steps: list[Step] = []
        self.owed: list[Callback] = []
        self.given_up: set[int] = set()
        self._known: dict[str, set[bytes]] = {}
        self._taken: set[int] = set()

    @property
    def unconfirmed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.event is None)

    @property
    def callbacks(self) -> list[Callback]:
        """Those that are owed to whoever asked for ends only."""
        return [callback for callback in self.owed if not callback.detailed]

    @property
    def terminal(self) -> bool:
        return self.snapshot.state in self.chart.finals

    def hear(self, event: SessionEvent) -> Disposition:
        known = self._known.setdefault(event.event_id, set())
        facts = Known(frozenset(known), event.sequence in self._taken, self.unconfirmed)
        progress = advance(self.chart, self.snapshot, facts, event)
        known.add(event.digest)
        if progress.disposition is not Disposition.DUPLICATE and progress.disposition is not Disposition.CONFLICT:
            self._taken.add(event.sequence)
            self.became[event.event_id] = progress.disposition
        self._enter(progress)
        return progress.disposition

    def close_gap(self) -> Progress:
        cursor, held = self.snapshot.cursor, self.snapshot.held
        progress = close_gap(self.chart, self.snapshot)
        assert progress.disposition is None
        if held:
            self.given_up |= set(range(cursor + 1, held[0].sequence))
        self._enter(progress)
        return progress

    def close_gaps(self) -> None:
        while self.snapshot.held:
            self.close_gap()

    def _enter(self, progress: Progress) -> None:
        before, after = self.snapshot, progress.after
        assert progress.before == before
        self.snapshot = after
        for event, disposition in progress.settled:
            assert event in before.held
            assert self.became[event.event_id] is Disposition.HELD
            self.became[event.event_id] = disposition
        self._check_steps(progress, before.state)
        self.owed += callbacks_due(self.chart, progress, EVERYBODY, NOW)
        self._check()
        if before.state not in self.chart.finals:
            self._check_certificate()
        assert after.cursor >= before.cursor
        assert before.contiguous or not after.contiguous
        assert not (before.state in self.chart.finals and after.state != before.state)

    def _check_steps(self, progress: Progress, here: str) -> None:
        """The history goes on from where it was, one legal step at a time; a confirmation changes nothing else."""
        for step in progress.steps:
            assert (step.ordinal, step.source) == (len(self.steps) + 1, here)
            assert self.chart.target(step.source, step.trigger) == step.target
            assert (step.event is None) == (step.cause is Cause.INFERRED)
            self.steps.append(step)
            here = step.target
        assert here == progress.after.state
        if progress.confirmed:
            index = progress.confirmed.ordinal - 1
            assert self.steps[index] == replace(progress.confirmed, event=None)
            assert progress.confirmed.trigger == progress.confirmed.event.name
            self.steps[index] = progress.confirmed

    def _check_certificate(self) -> None:
        """What the order went on without, as long as that decides anything."""
        borne = {step.event.sequence for step in self.steps if step.event}
        assert list(self.snapshot.given_up) == sorted(self.given_up - borne)
        assert list(self.snapshot.inferred) == [step.trigger for step in self.unconfirmed]
        assert len([callback for callback in self.owed if callback.detailed]) == len(self.steps)

    def _check(self) -> None:
        after = self.snapshot
        numbers = [event.sequence for event in after.held]
        inferred = [step for step in self.steps if step.cause is Cause.INFERRED]
        assert numbers == sorted(set(numbers))
        assert all(number > after.cursor + 1 for number in numbers)
        assert not (self.terminal and numbers)
        assert after.missing == [n for n in range(after.cursor + 1, max(numbers, default=0)) if n not in numbers]
        assert after.contiguous == (not inferred and not self.given_up)
        assert after.ordinal == len(self.steps)
        assert sorted(event.event_id for event in after.held) == sorted(
            event_id for event_id, disposition in self.became.items() if disposition is Disposition.HELD
        )
        assert list(after.applied) == [step.event.sequence for step in self.steps if step.cause is Cause.EVENT]
        assert [callback.subscriber for callback in self.callbacks].count("everybody") == self.terminal
