"""Why a session stands as it does: a sentence or two for whoever asks first, and one for each event and each callback.

`standing` says how it stands, `matters` what matters most beyond that; `fates` tells of events, `deliveries` of
callbacks, `obstacles` of what keeps them. Everything is derived from the case, and what has yet to come from the fold
itself (`gaps`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from statekeeper.explanation.case import Case, Circumstances
from statekeeper.explanation.deliveries import tell_callback
from statekeeper.explanation.fates import tell_events, tell_repeats
from statekeeper.explanation.matters import tell_matter
from statekeeper.explanation.sentences import Sentence
from statekeeper.explanation.standing import tell_standing


@dataclass(frozen=True, slots=True)
class Why:
    """What is told of a session: one or two sentences, one for each event by its arrival, one for each callback.

    `repeats` has one more sentence for each event that was delivered again, by the arrival of its first delivery.
    """

    summary: tuple[Sentence, ...]
    events: Mapping[int, Sentence]
    repeats: Mapping[int, Sentence]
    callbacks: Mapping[UUID, Sentence]


def explain(case: Case, circumstances: Circumstances) -> Why:
    """Tell why the session, each of its events and each of its callbacks is where it is."""
    matter = tell_matter(case, circumstances)
    return Why(
        summary=(tell_standing(case), *([matter] if matter else [])),
        events=tell_events(case),
        repeats=tell_repeats(case),
        callbacks={each.callback_id: tell_callback(case, each, circumstances) for each in case.callbacks},
    )
