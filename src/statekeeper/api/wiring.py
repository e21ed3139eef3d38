"""What the handlers work with, put together once by the composition root and found again through the app's state."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, cast

from litestar.types import Scope

from statekeeper.acts import Acts
from statekeeper.api.shared import Shared
from statekeeper.api.streams import Streams
from statekeeper.core.acts import Actor
from statekeeper.core.arrivals import Receipt
from statekeeper.delivery.administration import Administration
from statekeeper.recoverer import Recoverer
from statekeeper.resources import default_chart
from statekeeper.store.consumers import Placement
from statekeeper.store.queries import Queries
from statekeeper.tail import Tail
from statekeeper.watchers import Watchers


class Engine(Protocol):
    """The use cases, as far as HTTP has them."""

    @property
    def watchers(self) -> Watchers: ...

    async def receive(self, body: bytes) -> Receipt: ...

    async def place_consumer(self, placement: Placement, actor: Actor) -> bool: ...

    async def remove_consumer(self, name: str, actor: Actor) -> None: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts.

    `readiness` says what else must be well, `states` are those of the chart, `loaded` the subscribers that this process
    has at the moment; `tail` is the feed's end, `gap_timeout` how long a gap is waited for, and `streams` counts those
    who are sent events as they come, `shared` has what is the same for many of them.
    """

    engine: Engine
    queries: Queries
    readiness: Callable[[], Mapping[str, bool]]
    loaded: Collection[str]
    endpoints: Administration
    recoverer: Recoverer
    tail: Tail
    gap_timeout: timedelta
    acts: Acts
    states: tuple[str, ...] = field(default_factory=lambda: default_chart().states)
    streams: Streams = field(default_factory=Streams)
    shared: Shared = field(default_factory=Shared)


def wiring(scope: Scope) -> Wiring:
    """The parts behind the app that this request came to."""
    state: Any = scope["litestar_app"].state
    return cast("Wiring", state.wiring)
