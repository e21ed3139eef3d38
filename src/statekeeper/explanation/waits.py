"""Which events came too early, and what was missing when they came: the order of arrival, replayed.

Only numbers are replayed, with the gaps given up on where the chain of turns has them: what an event did in its turn is
in its disposition and its step. Behind the end of a session nothing waits, so that nothing is missing there either.
Behind a gap of which nobody knows when it was given up on, an event is said to have waited only if its step says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from statekeeper.core.snapshot import Cause, Disposition
from statekeeper.explanation.case import Case, CaseEvent
from statekeeper.explanation.turns import Turn


@dataclass(slots=True)
class Waits:
    """By arrival: the events that `waited`, those that came `behind` the end, and the numbers `missed` by each."""

    waited: set[int] = field(default_factory=set)
    behind: set[int] = field(default_factory=set)
    missed: dict[int, tuple[int, ...]] = field(default_factory=dict)


def waits(case: Case, chain: Sequence[Turn]) -> Waits:
    """Replay the arrivals of a session, with the chain of its turns."""
    found, order = Waits(), _Order([turn for turn in chain if turn.gap])
    for event in case.events:
        if _is_behind(case, chain, event):
            found.behind.add(event.arrival)
        elif event.disposition != Disposition.CONFLICT:
            order.go_on(event)
            if missed := order.take(event):
                found.missed[event.arrival] = missed
            if event.sequence in order.held or _had_its_turn_by_a_gap(case, chain, event):
                found.waited.add(event.arrival)
    found.waited -= {event.arrival for event in case.events if _had_its_turn_at_once(case, chain, event)}
    return found


def _is_behind(case: Case, chain: Sequence[Turn], event: CaseEvent) -> bool:
    """Whether an event came when the session had ended.

    An end that a gap held up came when the gap was given up on, and every other with an arrival.
    """
    end = next((turn for turn in chain if turn.step and case.chart.is_final(turn.step.target)), None)
    if end is None or event.arrival <= end.place:
        return False
    held_up = any(turn.gap and turn.at == end.at for turn in chain)
    return not held_up or event.received_at >= end.at


def _had_its_turn_by_a_gap(case: Case, chain: Sequence[Turn], event: CaseEvent) -> bool:
    """Whether its step was taken when a gap was given up on, if not when it came."""
    gaps = {turn.at for turn in chain if turn.gap and turn.at > event.received_at}
    return any(step.event_id == event.event_id and step.cause == Cause.EVENT and step.at in gaps for step in case.steps)


def _had_its_turn_at_once(case: Case, chain: Sequence[Turn], event: CaseEvent) -> bool:
    """As where the service is set up to wait for nothing: a gap was given up on when the event behind it came."""
    given_up = any(turn.gap and turn.at == event.received_at for turn in chain)
    return given_up and any(step.event_id == event.event_id and step.at == event.received_at for step in case.steps)


@dataclass(slots=True)
class _Order:
    """The resequencer over numbers alone."""

    gaps: list[Turn]
    cursor: int = 0
    highest: int = 0
    held: set[int] = field(default_factory=set)

    def go_on(self, event: CaseEvent) -> None:
        """Give up on what had been given up on before this event came."""
        while self.gaps and self.held and self._is_closed(self.gaps[0], event):
            gap = self.gaps.pop(0).gap
            self.cursor = gap.last if gap else self.cursor
            self._release()

    def take(self, event: CaseEvent) -> tuple[int, ...]:
        """Take an event in; returns the numbers that are missing before it and that nobody missed till then."""
        missed = tuple(range(self.highest + 1, event.sequence))
        self.highest = max(self.highest, event.sequence)
        if event.sequence > self.cursor:
            self.held.add(event.sequence)
            self._release()
        return missed

    def _is_closed(self, turn: Turn, event: CaseEvent) -> bool:
        gap = turn.gap
        if gap is None or gap.first != self.cursor + 1:
            return False
        return not gap.exact or event.sequence <= gap.last or turn.at < event.received_at

    def _release(self) -> None:
        while self.cursor + 1 in self.held:
            self.cursor += 1
            self.held.discard(self.cursor)
