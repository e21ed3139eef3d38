"""Whether the process lives, whether it is ready, and its figures.

Ready means: the store answers, and whatever the composition root names besides (keys have been had, the supervised
tasks run). Live says nothing but that the loop turns: a process that is not ready for the issuer's sake must not be
restarted.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from statekeeper import metrics
from statekeeper.api.responses import json_response
from statekeeper.api.wiring import Wiring, wiring
from statekeeper.core.errors import Unavailable
from statekeeper.core.health import State
from statekeeper.store.queries.monitoring import Gauges, Monitoring

PATIENCE: Final = 2.0


class LiveView(msgspec.Struct, frozen=True):
    """The process lives."""

    status: str


class ReadyView(msgspec.Struct, frozen=True):
    """Whether webhooks can be taken now, and which of the things that takes are well."""

    status: str
    checks: dict[str, bool]


@get("/health/live")
async def get_liveness() -> Response[bytes]:
    return json_response(LiveView("live"))


@get("/health/ready")
async def get_readiness(request: Request[Any, Any, Any]) -> Response[bytes]:
    parts = wiring(request.scope)
    checks = {"store": await _answers(parts.queries.monitoring), **parts.readiness()}
    ready = all(checks.values())
    return json_response(ReadyView("ready" if ready else "unready", checks), status=200 if ready else 503)


@get("/metrics")
async def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    await _measure(wiring(request.scope))
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _answers(store: Monitoring) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await store.ping()
    except (Unavailable, TimeoutError):
        return False
    return True


async def _measure(parts: Wiring) -> None:
    """Set what is read from the store; while that cannot be read, it is no number rather than an old one."""
    try:
        async with asyncio.timeout(PATIENCE):
            gauges = await parts.queries.monitoring.gauges()
    except (Unavailable, TimeoutError):
        gauges = Gauges(math.nan, math.nan, math.nan)
    metrics.HELD_SESSIONS.set(gauges.held_sessions)
    metrics.OLDEST_GAP.set(gauges.oldest_gap)
    metrics.OLDEST_DUE.set(gauges.oldest_due)
    metrics.UNLOADED_CALLBACKS.set(gauges.unloaded(parts.loaded))
    for gauge, counts in ((metrics.PENDING_CALLBACKS, gauges.pending), (metrics.DEAD_CALLBACKS, gauges.dead)):
        gauge.clear()
        for subscriber, count in counts.items():
            gauge.labels(subscriber).set(count)
    await _measure_feed(parts)
    _show_circuits({name: state for name, state in gauges.circuits.items() if name in parts.loaded})


async def _measure_feed(parts: Wiring) -> None:
    metrics.FEED_LAG.clear()
    try:
        async with asyncio.timeout(PATIENCE):
            feed = await parts.queries.consumers.all()
    except (Unavailable, TimeoutError):
        metrics.FEED_POSITION.set(math.nan)
        return
    metrics.FEED_POSITION.set(int(feed.head))
    for consumer in feed.items:
        metrics.FEED_LAG.labels(consumer.name).set(consumer.lag)


def _show_circuits(circuits: Mapping[str, State]) -> None:
    """A series a state, of which one is 1: so the practice for a value that is a word."""
    metrics.ENDPOINT_STATE.clear()
    for endpoint, current in circuits.items():
        for state in State:
            metrics.ENDPOINT_STATE.labels(endpoint, state).set(current is state)
