"""The task that keeps what each minute brought: every ten seconds, by how much this process's counters have grown.

Webhooks are counted in memory, where it costs them nothing, and only the growth is written, as one job among others in
the writer's transactions. A crash loses ten seconds of figures at most, an orderly end none. What could not be written
is written with what follows: nothing is forgotten before it is on disk.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import Connection

from statekeeper import metrics
from statekeeper.core.errors import Unavailable
from statekeeper.store import minutes
from statekeeper.store.minutes import Figures

PERIOD: Final = 10.0
_NAME: Final = 64
Job = Callable[[Connection, datetime], None]
log = structlog.get_logger()


def this_node() -> str:
    """What this process's minutes are written under: the host's name and the process's number."""
    number = f":{os.getpid()}"
    return socket.gethostname()[: _NAME - len(number)] + number


def read_figures(
    events: Counter = metrics.EVENTS, refusals: Counter = metrics.REFUSALS, latency: Histogram = metrics.ACK_SECONDS
) -> Figures:
    """What the process has counted since it began."""
    return Figures(_by_label(events, "disposition"), _by_label(refusals, "reason"), _by_bucket(latency))


@dataclass(slots=True)
class Meter:
    """Writes by `execute` what `read` has grown by since it was written last."""

    execute: Callable[[Job], Awaitable[None]]
    node: str = field(default_factory=this_node)
    read: Callable[[], Figures] = read_figures
    period: float = PERIOD
    _written: Figures = field(init=False)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._written = self.read()

    async def run(self) -> None:
        """Write every ten seconds until `close`, and once more then; to be supervised."""
        closing = False
        while not closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.period):
                    await self._closing.wait()
            closing = self._closing.is_set()
            try:
                await self.write()
            except Unavailable as error:
                log.warning("minutes_not_written", reason=error.reason)

    async def write(self) -> None:
        """Write what has been counted since the last time; raises `Unavailable`, and then the next time writes it."""
        counted = self.read()
        if grown := counted - self._written:
            await self.execute(lambda connection, now: minutes.add(connection, self.node, grown, now))
            self._written = counted

    def close(self) -> None:
        """Let `run` end once it has written what there is."""
        self._closing.set()


def _by_label(counter: Counter, label: str) -> dict[str, int]:
    return {each.labels[label]: int(each.value) for each in _samples(counter) if each.name.endswith("_total")}


def _by_bucket(histogram: Histogram) -> list[int]:
    """How many fell into each bucket; Prometheus counts in each what fell below it as well."""
    below = [int(each.value) for each in _samples(histogram) if each.name.endswith("_bucket")]
    return [upto - before for before, upto in zip([0, *below], below, strict=False)]


def _samples(metric: Any) -> Any:  # noqa: ANN401 -- the library tells no types of what it collects
    return [sample for family in metric.collect() for sample in family.samples]
