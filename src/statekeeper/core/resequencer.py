"""The resequencer: lets the unbroken run of numbers through and holds the rest.

Source: Hohpe and Woolf, Enterprise Integration Patterns, "Resequencer". Here the sender numbers its events from 1 in
each session, so that a gap is known for certain and never guessed from times.
"""

from collections.abc import Iterable

from statekeeper.core.events import SessionEvent

Run = tuple[tuple[SessionEvent, ...], tuple[SessionEvent, ...]]


def release(cursor: int, waiting: Iterable[SessionEvent]) -> Run:
    """Split `waiting` into the unbroken run from `cursor + 1` on and the events that must still be held, in order.

    No two of them bear the same number, and none is behind the cursor.
    """
    ordered = sorted(waiting, key=lambda event: event.sequence)
    run = 0
    while run < len(ordered) and ordered[run].sequence == cursor + run + 1:
        run += 1
    return tuple(ordered[:run]), tuple(ordered[run:])


def missing(cursor: int, held: Iterable[int]) -> list[int]:
    """The numbers that the held ones wait for."""
    waiting = sorted(held)
    return sorted(set(range(cursor + 1, waiting[-1])) - set(waiting)) if waiting else []
