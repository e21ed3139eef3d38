"""The page *Overview*: where the sessions are, what the last hour brought, what waits, and who is not told.

Every figure leads to the list that it counts. The page is made of one look at the store, and is kept as it should be
while somebody looks at it.
"""

from collections import Counter
from typing import Any, Final

from litestar import Response, get
from litestar.types import ASGIApp

from statekeeper.api.wiring import wiring
from statekeeper.console.live import live
from statekeeper.console.pages import page, render
from statekeeper.console.rendering.charts import Bars, draw_lines, stack
from statekeeper.console.visitor import Asked, preferences
from statekeeper.core.machine import Disposition
from statekeeper.explanation.sentences import N_
from statekeeper.store.queries.overview import Overview
from statekeeper.watchers import FEED

DISPOSITIONS: Final = tuple(str(each) for each in Disposition)
"""From the bottom of a bar to its top: what is well first."""
REASONS: Final = {
    "too_large": N_("too large"),
    "media_type": N_("not sent as a token"),
    "not_a_token": N_("no token"),
    "algorithm": N_("another algorithm"),
    "critical": N_("unknown extension"),
    "claims": N_("claims not right"),
    "issuer": N_("another issuer"),
    "audience": N_("another audience"),
    "subject": N_("another subject"),
    "expired": N_("expired"),
    "not_yet": N_("not valid yet"),
    "key": N_("no key that fits"),
    "unknown_key": N_("unknown key"),
    "signature": N_("wrong signature"),
    "not_an_event": N_("no event"),
    "keys": N_("keys not to be had"),
    "store": N_("store did not answer"),
    "queue_full": N_("queue was full"),
    "stopping": N_("service was stopping"),
}
"""Why webhooks are refused, as the figures call it."""


@get("/console/overview")
async def get_overview(request: Asked) -> Response[str]:
    """The whole page."""
    return page(request, "overview/page.html", **_shown(await wiring(request.scope).queries.overview.read()))


@get("/console/overview/live")
async def stream_overview(request: Asked) -> ASGIApp:
    """The page's inside, whenever a figure has become another."""
    parts, language = wiring(request.scope), preferences(request).language

    async def make() -> str:
        return render(request, "overview/body.html", **_shown(await parts.queries.overview.read()))

    return live(request, lambda: parts.shared.get(("overview", language), make), FEED)


def _shown(seen: Overview) -> dict[str, Any]:
    totals: Counter[str] = Counter()
    for minute in seen.minutes:
        totals.update(minute.events)
    kinds = [kind for kind in DISPOSITIONS if totals[kind]]
    latencies = {"p50": [each.p50 for each in seen.minutes], "p99": [each.p99 for each in seen.minutes]}
    return {
        "seen": seen,
        "states": sorted(seen.states.items(), key=lambda each: -each[1]),
        "totals": [(kind, totals[kind]) for kind in kinds],
        "events": stack([each.events for each in seen.minutes], kinds),
        "latencies": draw_lines(latencies),
        "refused": _refused(seen),
        "owed": [each for each in seen.owed if each.pending or each.dead],
    }


def _refused(seen: Overview) -> list[tuple[str, str, int, Bars]]:
    """Each reason, its words, how often, and a chart of its own: one that is rare would not be seen beside a flood."""
    refusals = [each.refusals for each in seen.minutes]
    often = sorted(seen.refusals.items(), key=lambda each: (-each[1], each[0]))
    return [(reason, REASONS.get(reason, reason), number, stack(refusals, [reason])) for reason, number in often]
