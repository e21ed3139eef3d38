"""All that the page of one session shows, made of its case: what is told, in which order, and what proves it.

Whether anything has changed is asked of what was told, not of the markup made of it: times go on by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from statekeeper.api.wiring import Wiring
from statekeeper.console.disclosure import for_readers
from statekeeper.console.evidence import Evidence, gather
from statekeeper.explanation.beliefs import Belief, beliefs
from statekeeper.explanation.case import Case, Circumstances
from statekeeper.explanation.timeline import Moment, timeline
from statekeeper.explanation.why import Why, explain


@dataclass(frozen=True, slots=True)
class Telling:
    """A session as told to somebody. `evidence` is by an event's arrival, and has what it claims if `claimed`."""

    case: Case
    why: Why
    moments: tuple[Moment, ...]
    beliefs: Mapping[UUID, Belief]
    evidence: Mapping[int, Evidence]
    claimed: bool

    def same(self, other: "Telling | None") -> bool:
        """Whether nobody would see a difference."""
        return other is not None and (self.case, self.why) == (other.case, other.why)


async def tell(parts: Wiring, session_id: UUID, *, claimed: bool, before: Telling | None = None) -> Telling | None:
    """Tell of a session as of now, or None if it is unknown; what was proved `before` of the same events holds."""
    case = await parts.queries.cases.find(session_id)
    if case is None:
        return None
    shown = case if claimed else for_readers(case)
    return Telling(
        case=shown,
        why=explain(shown, circumstances(parts)),
        moments=timeline(shown),
        beliefs={each.callback.callback_id: each for each in beliefs(shown)},
        evidence=_proofs(before, shown) or {each.arrival: gather(each, claimed=claimed) for each in case.events},
        claimed=claimed,
    )


def _proofs(before: Telling | None, shown: Case) -> Mapping[int, Evidence] | None:
    """What was proved of these very events."""
    return before.evidence if before and before.case.events == shown.events else None


def circumstances(parts: Wiring) -> Circumstances:
    """When, and by whose settings, it is told."""
    return Circumstances(now(parts), parts.gap_timeout, parts.loaded)


def now(parts: Wiring) -> datetime:
    """The time that ages are measured from."""
    return parts.queries.cases.now()
