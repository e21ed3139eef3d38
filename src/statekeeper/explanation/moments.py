"""What a timeline is made of: one thing that happened, when, how it is to be looked at, and what it is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from statekeeper.explanation.case import CaseAct, CaseAttempt, CaseCallback, CaseEvent, CaseStep
from statekeeper.explanation.sentences import Sentence


class Kind(StrEnum):
    """What kind of thing happened."""

    ARRIVAL = "arrival"
    STEP = "step"
    GAP = "gap"
    CALLBACK = "callback"
    ATTEMPT = "attempt"
    ACT = "act"


class Tone(StrEnum):
    """How a thing is to be looked at: as usual, as wished, as open or made up for, or as gone wrong."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, and what it is about; what it is not about is None.

    An attempt has its callback beside it, an act the callback that was acted on, a gap that was noticed the event that
    shows it. `at` is the store's time, or that of the cause where a node's clock would put the effect before it.
    """

    at: datetime
    kind: Kind
    tone: Tone
    what: Sentence
    event: CaseEvent | None = None
    callback: CaseCallback | None = None
    attempt: CaseAttempt | None = None
    step: CaseStep | None = None
    act: CaseAct | None = None
