"""A token bucket: so many attempts a second, and no more than a tenth of a second's worth of them at once.

Time is a number of seconds that only grows. The small burst keeps what passes within any one second at the rate plus a
tenth, and lets a high rate be claimed in portions instead of one by one.

Source: ITU-T I.371, "Generic cell rate algorithm", of which this is the other form.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

BURST_SECONDS: Final = 0.1
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` were there at `at`; a bucket begins full."""

    rate: float
    tokens: float
    at: float

    @classmethod
    def full(cls, rate: float, now: float) -> Self:
        return cls(rate, _capacity(rate), now)

    def available(self, now: float) -> int:
        """How many whole tokens there are."""
        return int(self._filled(now) + _ROUNDING)

    def take(self, tokens: int, now: float) -> Self:
        return replace(self, tokens=self._filled(now) - tokens, at=now)

    def full_at(self) -> float:
        """When it will be full again: waiting for that makes portions of what waits, at the same rate."""
        return self.at + (_capacity(self.rate) - self.tokens) / self.rate

    def _filled(self, now: float) -> float:
        return min(_capacity(self.rate), self.tokens + (now - self.at) * self.rate)


def _capacity(rate: float) -> float:
    return max(1.0, rate * BURST_SECONDS)
