"""All that the page of one session shows, made of its case: what is told, in which order, and what proves it.

Whether anything has changed is asked of what was told, not of the markup made of it: times go on by themselves. It is
asked every second for as long as somebody looks, so that what is costly, and follows from the rest, is made only once a
page is: the timeline, and the evidence, a signature to be checked for each event. A session may be of thousands of
events, and a page tells its last ones only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from statekeeper.api.wiring import Wiring
from statekeeper.console.disclosure import for_readers
from statekeeper.console.evidence import Evidence, gather
from statekeeper.explanation.beliefs import Belief, beliefs
from statekeeper.explanation.case import Case, CaseEvent, Circumstances
from statekeeper.explanation.timeline import Moment, timeline
from statekeeper.explanation.why import Why, explain

MOST: Final = 300
"""So many moments of a timeline, the last, are on a page."""


@dataclass(frozen=True)
class Telling:
    """A session as told to somebody; `archived` are its events with their tokens.

    `evidence` is by an event's arrival, of the events among the `moments`, and has what they claim if `claimed`;
    `earlier` moments are left out.
    """

    case: Case
    why: Why
    archived: tuple[CaseEvent, ...]
    claimed: bool

    @property
    def moments(self) -> tuple[Moment, ...]:
        return self._timeline[-MOST:]

    @property
    def earlier(self) -> int:
        return len(self._timeline) - len(self.moments)

    @cached_property
    def beliefs(self) -> Mapping[UUID, Belief]:
        return {each.callback.callback_id: each for each in beliefs(self.case)}

    @cached_property
    def evidence(self) -> Mapping[int, Evidence]:
        shown = {moment.event.arrival for moment in self.moments if moment.event}
        archived = [event for event in self.archived if event.arrival in shown]
        return {event.arrival: gather(event, claimed=self.claimed) for event in archived}

    @cached_property
    def _timeline(self) -> tuple[Moment, ...]:
        return timeline(self.case)

    def same(self, other: "Telling | None") -> bool:
        """Whether nobody would see a difference."""
        return other is not None and (self.case, self.why) == (other.case, other.why)


async def tell(parts: Wiring, session_id: UUID, *, claimed: bool) -> Telling | None:
    """Tell of a session as of now, or None if it is unknown."""
    case = await parts.queries.cases.find(session_id)
    if case is None:
        return None
    shown = case if claimed else for_readers(case)
    return Telling(shown, explain(shown, circumstances(parts)), case.events, claimed)


def circumstances(parts: Wiring) -> Circumstances:
    """When, and by whose settings, it is told."""
    return Circumstances(now(parts), parts.gap_timeout, parts.loaded)


def now(parts: Wiring) -> datetime:
    """The time that ages are measured from."""
    return parts.queries.cases.now()
