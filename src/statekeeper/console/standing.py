"""How each subscriber fares: the state of its circuit, what it is owed, and what may be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from statekeeper.api.wiring import Wiring
from statekeeper.store.views import EndpointView
from statekeeper.store.waiting import Owed

MADE_HERE: Final = ("rotate", "change", "delete")


@dataclass(frozen=True, slots=True)
class Standing:
    """One subscriber. `endpoint` is None of a function, and of one that is gone; `loaded` tells those apart."""

    name: str
    endpoint: EndpointView | None
    loaded: bool
    pending: int
    dead: int
    due_at: datetime | None

    @property
    def acts(self) -> tuple[str, ...]:
        """What an admin may do; what stands in the settings is changed there."""
        if self.endpoint is None:
            return ()
        other = "enable" if self.endpoint.health.disabled_at else "disable"
        more = MADE_HERE if self.endpoint.origin == "api" else ()
        return ("ping", other, *more)


async def standings(parts: Wiring) -> list[Standing]:
    """All who are told, or were, by their names; raises `Unavailable`."""
    owed = {each.subscriber: each for each in await parts.queries.callbacks.owed()}
    endpoints = {each.name: each for each in (await parts.endpoints.overview()).items}
    loaded = frozenset(parts.loaded)
    return [_standing(name, endpoints, owed, loaded) for name in sorted({*endpoints, *owed, *loaded})]


def _standing(
    name: str, endpoints: Mapping[str, EndpointView], owed: Mapping[str, Owed], loaded: frozenset[str]
) -> Standing:
    mine = owed.get(name, Owed(name, 0, 0, None))
    return Standing(name, endpoints.get(name), name in loaded, mine.pending, mine.dead, mine.due_at)
