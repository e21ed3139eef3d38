"""One timeline of all that befell a session, oldest first: what came, what it did, who was told, and who stepped in.

It is ordered by time, and where times are equal (a batch has one) by cause: an arrival, the gap that it shows, the
steps that it made possible, the callbacks of each step and their attempts. A key says so: time, the last arrival that
was needed, and what stands behind what of that arrival. Repeats are no moments of their own: they are with their event.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from statekeeper.core.acts import Deed
from statekeeper.core.reasons import read_given_up
from statekeeper.explanation.arrivals import tell_arrival
from statekeeper.explanation.case import Case, CaseAct, CaseCallback
from statekeeper.explanation.moments import Kind, Moment, Tone
from statekeeper.explanation.tellings import (
    tell_act,
    tell_attempt,
    tell_callback,
    tell_given_up,
    tell_missing,
    tell_step,
)
from statekeeper.explanation.turns import Gap, Turn, turns
from statekeeper.explanation.waits import waits

__all__ = ["Kind", "Moment", "Tone", "timeline"]

_CAME, _MISSED, _FOLLOWED, _DONE = range(4)
_ACTED, _TURNED, _OWED, _TRIED = range(4)
_NEVER: Final = 1 << 62
Place = tuple[int, int, int, int, int, int]
Placed = tuple[Place, Moment]


def timeline(case: Case) -> tuple[Moment, ...]:
    """All moments of a session, the oldest first; each event, step, callback, attempt and act is in exactly one."""
    chain = turns(case)
    placed = [*_arrivals(case, chain), *_turns(case, chain), *_callbacks(case, chain), *_acts(case, chain)]
    return tuple(moment for _, moment in sorted(placed, key=lambda each: (each[1].at, each[0])))


def _arrivals(case: Case, chain: Sequence[Turn]) -> Iterator[Placed]:
    found = waits(case, chain)
    for event in case.events:
        came = (event.arrival, _CAME, 0, 0, 0, 0)
        yield came, Moment(event.received_at, Kind.ARRIVAL, *tell_arrival(case, found, event), event=event)
        if missed := found.missed.get(event.arrival):
            place = (event.arrival, _MISSED, 0, 0, 0, 0)
            yield place, Moment(event.received_at, Kind.GAP, *tell_missing(event, missed), event=event)


def _turns(case: Case, chain: Sequence[Turn]) -> Iterator[Placed]:
    gaps: dict[int, Gap] = {turn.gap.first: turn.gap for turn in chain if turn.gap}
    for link, turn in enumerate(chain):
        place = (turn.place, _FOLLOWED, link, _TURNED, 0, 0)
        if turn.gap:
            yield place, Moment(turn.at, Kind.GAP, *tell_given_up(turn.gap))
        if step := turn.step:
            behind = gaps.get(read_given_up(step.reason) or 0)
            yield place, Moment(turn.at, Kind.STEP, *tell_step(case, step, behind), step=step)


def _callbacks(case: Case, chain: Sequence[Turn]) -> Iterator[Placed]:
    links = {turn.step.ordinal: (link, turn) for link, turn in enumerate(chain) if turn.step}
    for number, callback in enumerate(case.callbacks):
        link, turn = links.get(callback.ordinal, (len(chain), None))
        of, at = (turn.place, turn.at) if turn else (_NEVER, callback.created_at)
        owed = max(at, callback.created_at)
        place = (of, _FOLLOWED, link, _OWED, number, 0)
        said = tell_callback(callback, turn.step if turn else None)
        yield place, Moment(owed, Kind.CALLBACK, *said, callback=callback)
        yield from _attempts(callback, owed, (of, _FOLLOWED, link, _TRIED, number, 0))


def _attempts(callback: CaseCallback, owed: datetime, place: Place) -> Iterator[Placed]:
    """One of the same time as another is behind it by its number."""
    at = owed
    for attempt in callback.attempts:
        at = max(at, attempt.at)
        said = tell_attempt(callback, attempt)
        yield (*place[:5], attempt.number), Moment(at, Kind.ATTEMPT, *said, callback=callback, attempt=attempt)


def _acts(case: Case, chain: Sequence[Turn]) -> Iterator[Placed]:
    callbacks = {callback.callback_id: callback for callback in case.callbacks}
    for act in case.acts:
        callback = callbacks.get(act.callback_id) if act.callback_id else None
        moment = Moment(act.at, Kind.ACT, *tell_act(act, callback), callback=callback, act=act)
        yield _place_of_act(act, chain), moment


def _place_of_act(act: CaseAct, chain: Sequence[Turn]) -> Place:
    """Behind all else of its time; a gap that was closed by hand is given up on behind the act."""
    if act.act == Deed.CLOSE_GAP:
        for link, turn in enumerate(chain):
            if turn.gap and turn.at >= act.at:
                return (turn.place, _FOLLOWED, link, _ACTED, act.entry_id, 0)
    return (_NEVER, _DONE, 0, 0, act.entry_id, 0)
