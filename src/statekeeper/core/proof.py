"""The proof of a chart: its own stories, told in the ways a network tells them, end as the fold promises.

- Every order of a story gives the snapshot and the steps that the story itself gives.
- Every repetition of one event does the same, and is a duplicate.
- Every loss, the gaps given up on at the end, comes on a legal path to the state that the last event to arrive had led
  to, marked as not contiguous where a number was given up on: it ends as the story does, unless that end was lost.

A chart can fail the last one by itself: where a trigger leads from two states to different ones, a lost event before it
leaves open which was meant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Cause, Disposition, Known, Origin, Snapshot, Step, advance, close_gap
from statekeeper.core.statechart import Statechart
from statekeeper.core.tellings import Events, Story, losses, orders, repetitions, stories


class Way(StrEnum):
    """How a telling differs from its story."""

    ORDER = "order"
    REPETITION = "repetition"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Case:
    """One telling of a story, and in what it came out otherwise than it must; `faults` is empty where all is well."""

    way: Way
    story: Story
    arrivals: Events
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join(event.name for event in self.story.events)
        numbers = ", ".join(str(event.sequence) for event in self.arrivals)
        return f"{self.way}: {names}; arrived {numbers}: {'; '.join(self.faults) or 'as it must be'}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a proof came to: how many cases were checked, and those that went wrong."""

    checked: int
    faults: tuple[Case, ...]

    @classmethod
    def of(cls, cases: Iterable[Case]) -> "Report":
        checked, faults = 0, []
        for case in cases:
            checked += 1
            faults += [case] if case.faults else []
        return cls(checked, tuple(faults))


def prove(chart: Statechart) -> Iterator[Case]:
    """Check every case, one at a time, so that progress can be shown; `count` says how many there will be."""
    for case in _cases(chart):
        yield replace(case, faults=tuple(_faults(chart, case)))


def count(chart: Statechart) -> int:
    """How many cases `prove` will check."""
    return sum(1 for _ in _cases(chart))


def _cases(chart: Statechart) -> Iterator[Case]:
    for story in stories(chart):
        for order in orders(story.events):
            yield Case(Way.ORDER, story, order)
            yield from (Case(Way.REPETITION, story, arrivals) for arrivals in repetitions(order))
        yield from (Case(Way.LOSS, story, arrivals) for arrivals in losses(story))


@dataclass(slots=True)
class _Session:
    """One session, kept in memory: what a store would know of it."""

    chart: Statechart
    snapshot: Snapshot
    steps: list[Step] = field(default_factory=list)
    dispositions: list[Disposition | None] = field(default_factory=list)
    digests: dict[int, frozenset[bytes]] = field(default_factory=dict)

    def hear(self, event: SessionEvent) -> None:
        digests = self.digests.get(event.sequence, frozenset())
        progress = advance(self.chart, self.snapshot, Known(digests, bool(digests)), event)
        self.digests[event.sequence] = frozenset({event.digest})
        self.dispositions.append(progress.disposition)
        self.snapshot = progress.after
        self.steps += progress.steps

    def close_gaps(self) -> None:
        """One by one; there are no more gaps than held events, unless the fold holds what it gave up on."""
        for _ in self.snapshot.held:
            progress = close_gap(self.chart, self.snapshot)
            self.snapshot = progress.after
            self.steps += progress.steps


def _faults(chart: Statechart, case: Case) -> Iterator[str]:
    session = _Session(chart, Snapshot(case.story.events[0].session_id, chart.initial))
    for event in case.arrivals:
        session.hear(event)
    if case.way is Way.LOSS:
        session.close_gaps()
        return _loss_faults(case, session)
    return _telling_faults(case, session)


def _telling_faults(case: Case, session: _Session) -> Iterator[str]:
    steps = _steps(case.story)
    if tuple(session.steps) != steps:
        yield f"the steps were to {_targets(session.steps)}, not to {_targets(steps)}"
    for name, must in _end(case.story).items():
        if (found := getattr(session.snapshot, name)) != must:
            yield f"{name} is {found}, not {must}"
    for event, disposition in zip(case.arrivals, session.dispositions, strict=True):
        if bool(event.deliver_id) != (disposition is Disposition.DUPLICATE):
            yield f"number {event.sequence} was {disposition}"


def _steps(story: Story) -> tuple[Step, ...]:
    return tuple(
        Step(ordinal, edge.source, edge.target, edge.trigger, Cause.EVENT, event)
        for ordinal, (event, edge) in enumerate(story.moves, 1)
    )


def _end(story: Story) -> dict[str, object]:
    """The snapshot that a story must end in, member by member."""
    event, edge = story.moves[-1]
    origin = Origin(event.flow_id, event.environment)
    return {
        "state": edge.target,
        "cursor": event.sequence,
        "held": (),
        "origin": origin,
        "decided": origin,
        "ordinal": len(story.moves),
        "applied": tuple(event.sequence for event, _ in story.moves),
        "contiguous": True,
        "last_step": event.last_step,
    }


def _loss_faults(case: Case, session: _Session) -> Iterator[str]:
    snapshot = session.snapshot
    came = {event.sequence for event in case.arrivals}
    led = [edge.target for event, edge in case.story.moves if event.sequence in came]
    state = led[-1] if led else session.chart.initial
    if snapshot.state != state:
        yield f"ended in {snapshot.state}, not in {state}"
    if snapshot.held:
        yield f"number {snapshot.held[0].sequence} is still held"
    if snapshot.contiguous != came.issuperset(range(1, max(came))):
        yield f"contiguous is {snapshot.contiguous}"
    yield from _path_faults(session)


def _path_faults(session: _Session) -> Iterator[str]:
    here = session.chart.initial
    for ordinal, step in enumerate(session.steps, 1):
        legal = session.chart.target(step.source, step.trigger) == step.target
        if (step.ordinal, step.source) != (ordinal, here) or not legal:
            yield f"step {ordinal} is not legal: {step.trigger} from {step.source} to {step.target}"
        here = step.target
    if here != session.snapshot.state:
        yield f"the steps lead to {here}, but the state is {session.snapshot.state}"


def _targets(steps: Iterable[Step]) -> str:
    return ", ".join(step.target for step in steps) or "nowhere"
