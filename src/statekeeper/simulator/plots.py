"""Draws a day of sessions from a seed, with the faults of real life. Pure: the same seed is the same day.

Each story is drawn from a generator of its own, seeded with the run's seed and the story's place, so that it stays what
it is however many others there are. `Faults` has the odds; without faults every webhook comes once, in order, in time.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final
from uuid import UUID

from statekeeper.simulator.stories import ATTEMPTS, DAY, Day, Delivery, Fault, Forgery, Story, StoryEvent

_ENDS: Final = ("completed", "aborted", "expired", "error", None)
_WEIGHTS: Final = (74, 11, 8, 3, 4)
_MINUTE: Final = 60.0
_DURATIONS: Final = {
    "completed": (1.5, 20),
    "aborted": (0.5, 15),
    "expired": (30, 60),
    "error": (0.5, 10),
    None: (1, 20),
}
"""Minutes from the first event to the last."""

_LAST_STEPS: Final[dict[str, tuple[dict[str, str], ...]]] = {
    "completed": (
        {"lastStepId": "END-ACCEPT", "lastStepType": "END", "lastStepStatus": "COMPLETED"},
        {"lastStepId": "END-REJECT", "lastStepType": "END", "lastStepStatus": "COMPLETED"},
    ),
    "other": (
        {"lastStepId": "START", "lastStepType": "START", "lastStepStatus": "COMPLETED"},
        {"lastStepId": "START"},
        {},
    ),
}
_RETRY: Final = (0.5, 5)
_REPEAT: Final = (0.1, 30)
_OVERTAKEN: Final = (0.02, 1)
_DELAY: Final = (10, 240)
"""Minutes to a retry, to a repeat, by which one comes behind the next event, and by which one is late."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The odds, from 0 to 1, that an event meets a fault; `forged` is that of a session to be lied about."""

    reordered: float = 0.08
    delayed: float = 0.04
    repeated: float = 0.10
    dropped: float = 0.05
    lost: float = 0.03
    forged: float = 0.10

    def times(self, factor: float) -> "Faults":
        """The same faults, so many times as likely; 0 for none at all."""
        return Faults(**{each.name: min(1.0, factor * getattr(self, each.name)) for each in fields(self)})


def tell(sessions: int, seed: int, faults: Faults = Faults()) -> Day:
    """A day of so many sessions, and of the sessions that only forgers speak of."""
    stories = tuple(story for place in range(sessions) for story in _stories(f"{seed}:{place}", faults))
    last = max((story.deliveries[-1].at for story in stories), default=0.0)
    return Day(stories, rotations=(0.6 * DAY,) if last > 0.6 * DAY else ())


def _stories(seed: str, faults: Faults) -> Iterator[Story]:
    chance = _Chance(random.Random(seed))  # noqa: S311 -- it draws a play, no secret
    story = chance.story(faults)
    yield story
    if chance.takes(faults.forged / 4):
        yield chance.phantom(story)


class _Chance:
    """One story's generator, and all that is drawn from it."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def takes(self, odds: float) -> bool:
        return self._draw.random() < odds

    def uuid(self) -> UUID:
        return UUID(int=self._draw.getrandbits(128), version=4)

    def later(self, minutes: tuple[float, float]) -> float:
        return _MINUTE * self._draw.uniform(*minutes)

    def story(self, faults: Faults) -> Story:
        [end] = self._draw.choices(_ENDS, _WEIGHTS)
        events = tuple(self.events(end))
        deliveries = [*self.travel(events, faults), *self.lies(events, end, faults)]
        return Story(
            session_id=self.uuid(),
            flow_id=str(UUID(int=self._draw.randrange(1, 4), version=4)),
            environment=self._draw.choice(("live", "live", "live", "staging")),
            end=end,
            events=events,
            deliveries=tuple(sorted(deliveries, key=lambda delivery: delivery.at)),
        )

    def phantom(self, story: Story) -> Story:
        """A forged end of a session that there never was."""
        delivery = self.lie(story.events[0].at + self.later((1, 30)), 2, "completed")
        return Story(self.uuid(), story.flow_id, story.environment, None, (), (delivery,))

    def events(self, end: str | None) -> Iterator[StoryEvent]:
        """What happens: created, sometimes steps in between that the chart does not know, and the end."""
        begin = self._draw.uniform(0, DAY - 2 * 60 * _MINUTE)
        duration = self.later(_DURATIONS[end])
        steps = self._draw.choices((0, 1, 2), (85, 10, 5))[0]
        yield self.event("session.created", 1, begin, self._draw.choice(("CREATED", "RUNNING")))
        for number in range(1, steps + 1):
            yield self.event("session.step_completed", 1 + number, begin + duration * number / (steps + 1), "RUNNING")
        if end:
            yield self.event(f"session.{end}", steps + 2, begin + duration, end.upper(), end)

    def event(self, name: str, number: int, at: float, status: str, end: str | None = None) -> StoryEvent:
        last_steps = _LAST_STEPS.get(end, _LAST_STEPS["other"]) if end else ({},)
        return StoryEvent(
            event_id=str(self.uuid()),
            name=name,
            sequence=number,
            at=at,
            status=status,
            written=self._draw.choices((str(number), number, f"{number:02}"), (90, 5, 5))[0],
            last_step=self._draw.choice(last_steps),
            step_at_top=self.takes(0.1),
        )

    def travel(self, events: tuple[StoryEvent, ...], faults: Faults) -> Iterator[Delivery]:
        overtakers = {before.event_id: after for before, after in pairwise(events)}
        for event in events:
            overtaker = overtakers.get(event.event_id)
            if self.takes(faults.lost):
                yield Delivery(event.at, event, ATTEMPTS, Fault.LOST)
            elif self.takes(faults.delayed):
                yield from self.attempts(event, event.at + self.later(_DELAY), Fault.DELAYED, faults)
            elif overtaker and self.takes(faults.reordered):
                yield from self.attempts(event, overtaker.at + self.later(_OVERTAKEN), Fault.REORDERED, faults)
            else:
                yield from self.attempts(event, event.at, Fault.NONE, faults)

    def attempts(self, event: StoryEvent, at: float, fault: Fault, faults: Faults) -> Iterator[Delivery]:
        """One attempt comes through; one before it may be lost, and some behind it need not have been."""
        attempt = 1
        if self.takes(faults.dropped):
            yield Delivery(at, event, attempt, Fault.DROPPED)
            attempt, at = attempt + 1, at + self.later(_RETRY)
        yield Delivery(at, event, attempt, fault)
        while attempt < ATTEMPTS and self.takes(faults.repeated):
            attempt, at = attempt + 1, at + self.later(_REPEAT)
            yield Delivery(at, event, attempt, Fault.REPEATED)

    def lies(self, events: tuple[StoryEvent, ...], end: str | None, faults: Faults) -> Iterator[Delivery]:
        """Now and then somebody forges an end that the session does not have."""
        if self.takes(faults.forged):
            at = self._draw.uniform(events[0].at, events[-1].at + 30 * _MINUTE)
            other = self._draw.choice([each for each in _ENDS if each not in {end, None}])
            yield self.lie(at, len(events), str(other))

    def lie(self, at: float, number: int, end: str) -> Delivery:
        event = self.event(f"session.{end}", number, at, end.upper(), end)
        return Delivery(at, event, fault=Fault.FORGED, forgery=self._draw.choice(list(Forgery)))
