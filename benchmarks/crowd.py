"""A crowd of sessions, as a year of a large customer leaves it; the same for the same seed.

Most sessions go as they should. One in a hundred has a gap, one in two hundred a conflict, one in a hundred a dead
callback; some values are frequent and some are rare, and one flow runs in one environment only, since it is the filters
that fit almost nothing which are slow. What is drawn here is told as rows by `benchmarks.crowd_rows`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from statekeeper.resources import default_chart

CHART: Final = default_chart()
ENVIRONMENTS: Final = {"live": 65.0, "staging": 25.0, "test": 9.5, None: 0.49, "load": 0.01}
FLOWS: Final = {f"f10e0000-0000-4000-8000-00000000000{number}": weight for number, weight in enumerate((50, 20, 10))}
ONLY_STAGING: Final = "f10e0000-0000-4000-8000-0000000000aa"
RARE_FLOW: Final = "f10e0000-0000-4000-8000-0000000000bb"
ENDS: Final = {"completed": 80.0, "expired": 8.0, "aborted": 7.0, "error": 2.0, "created": 2.9, "pending": 0.1}
SUBSCRIBERS: Final = ("crm", "archive")
RARE_SUBSCRIBER: Final = "audit"
YEAR: Final = timedelta(days=365)
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Owed:
    """A callback to one subscriber, and what became of it; `due_at` stands while it is pending."""

    subscriber: str
    status: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one session; where it has not ended, `ended_at` means nothing."""

    session_id: UUID
    flow_id: str | None
    environment: str | None
    state: str
    gap: bool
    contradicted: bool
    begun_at: datetime
    ended_at: datetime
    owed: tuple[Owed, ...] = ()

    @property
    def final(self) -> bool:
        return CHART.is_final(self.state)

    @property
    def begun(self) -> bool:
        return self.state != "pending"

    @property
    def given_up(self) -> bool:
        """Whether number 1 was lost and its step inferred; in a session that goes on, number 3 is held instead."""
        return self.gap and self.final

    @property
    def held(self) -> tuple[int, ...]:
        return (3,) if not self.begun or (self.gap and not self.final) else ()

    @property
    def applied(self) -> tuple[int, ...]:
        return ((1,) if self.begun and not self.given_up else ()) + ((2,) if self.final else ())


@dataclass(frozen=True, slots=True)
class Crowd:
    """Draws so many sessions, the eldest first, spread over the year before `until`."""

    count: int
    until: datetime
    seed: int = SEED

    def stories(self) -> Iterator[Story]:
        draw = random.Random(self.seed)
        pace = YEAR / self.count
        for number in range(self.count):
            yield self._draw(draw, number, cut(self.until - YEAR + pace * number))

    def _draw(self, draw: random.Random, number: int, at: datetime) -> Story:
        """The order of the draws is what a seed stands for."""
        session = UUID(int=draw.getrandbits(128), version=4)
        origin = _origin(draw, number)
        state = draw.choices(tuple(ENDS), tuple(ENDS.values()))[0]
        gap, contradicted = draw.random() < 0.01, draw.random() < 0.005
        ended = cut(at + timedelta(seconds=draw.uniform(20, 900)))
        rare = number % (self.count // 50 or 1) == 0
        owed = tuple(_owed(draw, ended, rare=rare)) if CHART.is_final(state) else ()
        return Story(session, *origin, state, gap, contradicted, at, ended, owed)


def cut(at: datetime) -> datetime:
    """The time in UTC, to the millisecond, as the service keeps it."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _origin(draw: random.Random, number: int) -> tuple[str | None, str | None]:
    """A flow and an environment; rare ones stand at fixed places, the eldest sessions among them."""
    environment = draw.choices(tuple(ENVIRONMENTS), tuple(ENVIRONMENTS.values()))[0]
    if number % 50_000 == 25:
        return RARE_FLOW, environment
    if environment == "staging" and draw.random() < 0.4:
        return ONLY_STAGING, environment
    flow = draw.choices(tuple(FLOWS), tuple(FLOWS.values()))[0]
    return (None if draw.random() < 0.005 else flow), environment


def _owed(draw: random.Random, ended: datetime, *, rare: bool) -> Iterator[Owed]:
    """What subscribers are owed of an end: mostly delivered at once, now and then dead, and lately some still due."""
    every, some = SUBSCRIBERS
    for subscriber in (every, *((some,) if draw.random() < 0.1 else ()), *((RARE_SUBSCRIBER,) if rare else ())):
        chance = draw.random()
        status = "dead" if chance < 0.01 else "pending" if chance < 0.0104 else "delivered"
        due = ended + timedelta(hours=draw.uniform(1, 10_000)) if status == "pending" else None
        yield Owed(subscriber, status, due)
