"""What keeps a callback from going out whenever it is due, asked in the order in which the relay would meet it.

No sender of that name, an endpoint that takes nothing, an earlier callback of the same session to the same subscriber.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from statekeeper.core.health import Health, State
from statekeeper.explanation.case import Case, CaseCallback, Circumstances
from statekeeper.explanation.sentences import N_, Sentence, Value

DISABLED: Final = N_(
    "The callback to {subscriber} ({state}) is held back: the endpoint has been disabled since {since} ({reason})."
)
NOT_LOADED: Final = N_("The callback to {subscriber} ({state}) is held back: no subscriber of that name is loaded now.")
CIRCUIT_OPEN: Final = N_(
    "The callback to {subscriber} ({state}) is held back: the endpoint has failed since {since}; it is tried again at"
    " {at}."
)
PROBED: Final = N_(
    "The callback to {subscriber} ({state}) is held back: the endpoint has failed since {since}, and is being tried"
    " with another callback."
)
BEHIND: Final = N_(
    "The callback to {subscriber} ({state}) waits for the one before it, about {earlier}, to the same subscriber."
)


def tell_obstacle(case: Case, callback_id: UUID, circumstances: Circumstances) -> Sentence | None:
    """What would keep one of its callbacks from going out if somebody had it sent now; None if nothing would."""
    wanted = next((each for each in case.callbacks if each.callback_id == callback_id), None)
    return tell_kept(case, replace(wanted, claimed_at=None, due_at=None), circumstances) if wanted else None


def tell_kept(case: Case, callback: CaseCallback, circumstances: Circumstances) -> Sentence | None:
    """What keeps it whenever it is due."""
    if circumstances.loaded is not None and callback.subscriber not in circumstances.loaded:
        return about(NOT_LOADED, callback)
    health = case.healths.get(callback.subscriber)
    if health and (kept := _tell_ill(callback, health)):
        return kept
    earlier = _before(case, callback)
    return about(BEHIND, callback, earlier=earlier.state) if earlier else None


def _tell_ill(callback: CaseCallback, health: Health) -> Sentence | None:
    """What the endpoint's health keeps back, if it does; its own time may be later than that of the next probe."""
    if health.disabled_at is not None:
        reason = health.disabled_reason or State.DISABLED
        return about(DISABLED, callback, since=health.disabled_at, reason=reason)
    if health.opened_at is None:
        return None
    since = health.failing_since or health.opened_at
    if health.state is State.HALF_OPEN and health.probed_at == callback.claimed_at:
        return None
    if health.state is State.HALF_OPEN:
        return about(PROBED, callback, since=since)
    at = max(each for each in (health.opened_at, health.probe_at, callback.due_at) if each)
    return about(CIRCUIT_OPEN, callback, since=since, at=at)


def _before(case: Case, callback: CaseCallback) -> CaseCallback | None:
    """The pending callback of an earlier step to the same subscriber, the latest of them if there are more."""
    same = (each for each in case.callbacks if each.subscriber == callback.subscriber and each.status == "pending")
    earlier = [each for each in same if each.ordinal < callback.ordinal]
    return max(earlier, key=lambda each: each.ordinal, default=None)


def about(text: str, callback: CaseCallback, **values: Value) -> Sentence:
    """A sentence about a callback: whom it is for, and which state it tells of, stand in each."""
    return Sentence(text, {"subscriber": callback.subscriber, "state": callback.state, **values})
