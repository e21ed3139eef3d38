"""How much each subscriber may claim by its rate, as this node counts it, and when there will be more.

`clock` has seconds that only grow. What the rate held back is claimed once its burst is full again and not at every
single token, so that a high rate is claimed in portions.
"""

from collections.abc import Callable, Mapping

from statekeeper.core.rates import Bucket


class Throttle:
    """The token buckets of a node's subscribers; those without a rate have none."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._held_back: set[str] = set()

    def limit(self, free: Mapping[str, int], rates: Mapping[str, float | None]) -> dict[str, int]:
        """The free slots of each, as far as its rate allows. If the claim fails, nothing is held back."""
        now = self._clock()
        self._held_back = set()
        self._buckets = {name: self._bucket(name, rate, now) for name, rate in rates.items() if rate is not None}
        limits = {name: bucket.available(now) for name, bucket in self._buckets.items()}
        return {name: min(slots, limits.get(name, slots)) for name, slots in free.items()}

    def take(self, free: Mapping[str, int], allowed: Mapping[str, int], claimed: Mapping[str, int]) -> None:
        """Use up what was claimed, and note where more may be waiting that only the rate held back."""
        now = self._clock()
        self._held_back = {name for name in self._buckets if claimed.get(name, 0) >= allowed[name] < free[name]}
        for name, bucket in self._buckets.items():
            self._buckets[name] = bucket.take(claimed.get(name, 0), now)

    def next_at(self) -> float | None:
        """When what was held back may go on; None if nothing was."""
        return min((self._buckets[name].full_at() for name in self._held_back), default=None)

    def _bucket(self, name: str, rate: float, now: float) -> Bucket:
        known = self._buckets.get(name)
        return known if known is not None and known.rate == rate else Bucket.full(rate, now)
