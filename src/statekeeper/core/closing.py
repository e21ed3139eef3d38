"""What closing a session's first gap does, told before it is done, by the fold that does it.

A dry run stops there; the act does the same at once, and records what was told. Neither has a rule of its own: the
numbers, steps and events are `machine.close_gap`'s, the callbacks `callbacks_due`'s, the notices `messages_due`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from statekeeper.core.callbacks import Callback, callbacks_due
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Disposition, Step, close_gap
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


def plan_closing(
    chart: Statechart, snapshot: Snapshot, subscribers: Sequence[Subscriber], at: datetime
) -> Closing | None:
    """What it would come to if the first gap were closed at this time; None where nothing is held."""
    if not snapshot.held:
        return None
    progress = close_gap(chart, snapshot)
    notice = gap_closed(snapshot.session_id, progress.given_up, progress.inferred, at)
    return Closing(
        source=snapshot.state,
        target=progress.after.state,
        given_up=progress.given_up,
        steps=progress.steps,
        settled=progress.settled,
        held=tuple(event.sequence for event in progress.after.held),
        callbacks=callbacks_due(chart, progress, subscribers, at),
        messages=messages_due(notice, subscribers),
    )
