"""The fold: one session's snapshot, advanced by one event at a time.

1. An event that is known already, or that contradicts what is known, changes nothing: `duplicate`, `conflict`.
2. One whose number was given up on is `late`: it confirms the step that was inferred in its stead, or takes effect
   after all if the chart allows it now, or is kept without effect.
3. Any other joins those that are held; the unbroken run behind the cursor is let through, and each event of it has its
   turn: `applied`, `rejected` (no such transition) or `ignored` (the chart does not know its name).
4. A final state absorbs: nothing waits behind one, and the cursor stays where the end was.
5. `close_gap` gives up on the numbers missing before the first held event. Steps that must have been taken are inferred
   along the shortest legal path, so that every history is a legal path and no terminal event is lost to order.

As long as no gap is closed and no two events conflict, every order and every repetition of the same arrivals gives the
same snapshot, the same steps and the same callbacks. That is the theorem that the tests hold this file to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from statekeeper.core.events import LastStep, SessionEvent
from statekeeper.core.reasons import AFTER_ITS_TURN, tell_came_first, tell_given_up
from statekeeper.core.resequencer import release
from statekeeper.core.snapshot import Cause, Disposition, Known, Origin, Progress, Snapshot, Step
from statekeeper.core.statechart import Edge, Statechart

__all__ = ["Cause", "Disposition", "Known", "Origin", "Progress", "Snapshot", "Step", "advance", "close_gap"]
_T = TypeVar("_T")


def advance(chart: Statechart, snapshot: Snapshot, known: Known, event: SessionEvent) -> Progress:
    """Fold one arrival into its session."""
    if event.digest in known.digests:
        return Progress(snapshot, snapshot, disposition=Disposition.DUPLICATE)
    if known.digests or known.taken or snapshot.origin.contradicts(event):
        return Progress(snapshot, snapshot, disposition=Disposition.CONFLICT)
    fold = _Fold(chart, replace(snapshot, origin=snapshot.origin.filled(event)))
    if event.sequence <= snapshot.cursor:
        return _come_late(fold, snapshot, known, event)
    fold.let_through((*snapshot.held, event))
    return fold.progress(snapshot, event)


def close_gap(chart: Statechart, snapshot: Snapshot) -> Progress:
    """Give up on the numbers missing before the first held event; nothing happens where none is held."""
    if not snapshot.held:
        return Progress(snapshot, snapshot)
    fold = _Fold(chart, snapshot)
    last = snapshot.held[0].sequence - 1
    if path := _path_across(chart, snapshot, last):
        fold.infer(path, tell_given_up(snapshot.cursor + 1, last))
    fold.give_up(last)
    fold.let_through(snapshot.held)
    return fold.progress(snapshot)


def _path_across(chart: Statechart, snapshot: Snapshot, last: int) -> tuple[Edge, ...]:
    """The path to the first event behind the gap that can be legal after it; the others tell nothing of what was lost.

    It has no more steps than numbers given up on, unless nothing has happened yet.
    """
    run, _ = release(last, snapshot.held)
    paths = (chart.path(snapshot.state, event.name) for event in run)
    lost = last - snapshot.cursor
    return next((path for path in paths if path is not None and (len(path) <= lost or not snapshot.ordinal)), ())


def _come_late(fold: "_Fold", before: Snapshot, known: Known, event: SessionEvent) -> Progress:
    stead = next((step for step in known.unconfirmed if step.trigger == event.name), None)
    if stead is not None:
        confirmed = replace(stead, event=event)
        fold.heed(event)
        fold.confirm(event)
        return Progress(before, fold.after(), disposition=Disposition.LATE, confirmed=confirmed)
    fold.turn(event, AFTER_ITS_TURN)
    if fold.outcomes[event.event_id] is not Disposition.APPLIED:
        fold.outcomes[event.event_id] = Disposition.LATE
    fold.wait(before.held)
    return fold.progress(before, event)


@dataclass(slots=True)
class _Fold:
    """The one mutable thing here: it lives for one call, from a snapshot to the next."""

    chart: Statechart
    start: Snapshot
    state: str = field(init=False)
    ordinal: int = field(init=False)
    cursor: int = field(init=False)
    contiguous: bool = field(init=False)
    decided: Origin = field(init=False)
    last_step: LastStep | None = field(init=False)
    given_up: tuple[int, ...] = field(init=False)
    inferred: tuple[str, ...] = field(init=False)
    held: tuple[SessionEvent, ...] = field(init=False)
    applied: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    outcomes: dict[str, Disposition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = self.start
        self.state, self.ordinal, self.cursor = start.state, start.ordinal, start.cursor
        self.contiguous, self.decided, self.last_step = start.contiguous, start.decided, start.last_step
        self.given_up, self.inferred, self.held = start.given_up, start.inferred, start.held

    def let_through(self, waiting: Iterable[SessionEvent]) -> None:
        run, held = release(self.cursor, waiting)
        for event in run:
            if not self.chart.is_final(self.state):
                self.cursor = event.sequence
            self.turn(event)
        self.wait(held)

    def wait(self, held: tuple[SessionEvent, ...]) -> None:
        """Hold what must wait; behind a final state nothing waits, so that each has its turn at once."""
        if self.chart.is_final(self.state):
            for event in held:
                self.turn(event)
            held = ()
        self.outcomes |= {event.event_id: Disposition.HELD for event in held}
        self.held = held

    def turn(self, event: SessionEvent, reason: str | None = None) -> None:
        """Move by the event if the chart has the transition, from a later state at worst while nothing has happened."""
        self.heed(event)
        if not self.ordinal and (path := self.chart.path(self.state, event.name)):
            self.infer(path, tell_came_first(event.name, path[-1].target))
        target = self.chart.target(self.state, event.name)
        if target is None:
            known = event.name in self.chart.triggers
            self.outcomes[event.event_id] = Disposition.REJECTED if known else Disposition.IGNORED
            return
        self.applied.append(event.sequence)
        self.last_step = event.last_step or self.last_step
        self.given_up = _without(self.given_up, event.sequence)
        self._step(Edge(self.state, event.name, target), Cause.EVENT, event, reason)
        self.outcomes[event.event_id] = Disposition.APPLIED

    def heed(self, event: SessionEvent) -> None:
        """Callbacks go by what was said up to the end, whatever is said behind it."""
        if not self.chart.is_final(self.state):
            self.decided = self.decided.filled(event)

    def infer(self, path: tuple[Edge, ...], reason: str) -> None:
        self.contiguous = False
        for edge in path:
            self.inferred += (edge.trigger,)
            self._step(edge, Cause.INFERRED, None, reason)

    def give_up(self, last: int) -> None:
        """Go on as if all numbers up to the last had come."""
        self.given_up += tuple(range(self.cursor + 1, last + 1))
        self.cursor, self.contiguous = last, False

    def confirm(self, event: SessionEvent) -> None:
        """An inferred step has its event after all; what was decided at the end was decided without it."""
        if not self.chart.is_final(self.state):
            self.given_up = _without(self.given_up, event.sequence)
            self.inferred = _without(self.inferred, event.name)

    def _step(self, edge: Edge, cause: Cause, event: SessionEvent | None, reason: str | None) -> None:
        self.ordinal += 1
        known = (self.decided, self.last_step)
        self.steps.append(Step(self.ordinal, edge.source, edge.target, edge.trigger, cause, event, reason, *known))
        self.state = edge.target

    def after(self) -> Snapshot:
        return replace(
            self.start,
            state=self.state,
            cursor=self.cursor,
            held=self.held,
            decided=self.decided,
            ordinal=self.ordinal,
            applied=(*self.start.applied, *self.applied),
            contiguous=self.contiguous,
            last_step=self.last_step,
            given_up=self.given_up,
            inferred=self.inferred,
        )

    def progress(self, before: Snapshot, event: SessionEvent | None = None) -> Progress:
        settled = [(held, self.outcomes[held.event_id]) for held in before.held]
        return Progress(
            before=before,
            after=self.after(),
            steps=tuple(self.steps),
            disposition=self.outcomes[event.event_id] if event else None,
            settled=tuple((held, outcome) for held, outcome in settled if outcome is not Disposition.HELD),
        )


def _without(values: tuple[_T, ...], value: _T) -> tuple[_T, ...]:
    """The values but for the first that equals this one."""
    if value not in values:
        return values
    at = values.index(value)
    return values[:at] + values[at + 1 :]
