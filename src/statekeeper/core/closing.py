"""What closing a session's first gap does, told before it is done and after, from the same progress of the same fold.

A dry run folds a copy and keeps nothing; the act folds, and writes what came of it. Neither has a rule of its own: the
numbers, steps and events are `machine.close_gap`'s, the callbacks `callbacks_due`'s, the notices `messages_due`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from statekeeper.core.callbacks import Callback, callbacks_due
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition, Progress, Step, close_gap
from statekeeper.core.notices import Message, gap_closed, messages_due
from statekeeper.core.snapshot import Snapshot
from statekeeper.core.statechart import Statechart
from statekeeper.core.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Closing:
    """One gap closed: `given_up` are the numbers it was made of, `settled` the events that had their turn for it.

    `callbacks` and `messages` are what is owed for it, and `held` the numbers that wait on, behind another gap.
    """

    source: str
    target: str
    given_up: tuple[int, ...]
    steps: tuple[Step, ...]
    settled: tuple[tuple[SessionEvent, Disposition], ...]
    held: tuple[int, ...]
    callbacks: tuple[Callback, ...]
    messages: tuple[Message, ...]

    @classmethod
    def of(cls, chart: Statechart, progress: Progress, subscribers: Iterable[Subscriber], at: datetime) -> Self:
        """What this progress, the closing of a gap at this time, comes to."""
        before, after, subscribers = progress.before, progress.after, tuple(subscribers)
        notice = gap_closed(after.session_id, progress.given_up, progress.inferred, at)
        return cls(
            source=before.state,
            target=after.state,
            given_up=progress.given_up,
            steps=progress.steps,
            settled=progress.settled,
            held=tuple(event.sequence for event in after.held),
            callbacks=callbacks_due(chart, progress, subscribers, at),
            messages=messages_due(notice, subscribers),
        )


def plan_closing(
    chart: Statechart, snapshot: Snapshot, subscribers: Iterable[Subscriber], at: datetime
) -> Closing | None:
    """What it would come to if the first gap were closed at this time; None where nothing is held."""
    return Closing.of(chart, close_gap(chart, snapshot), subscribers, at) if snapshot.held else None
