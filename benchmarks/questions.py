"""What the console asks of a store: each page's own questions, and the list's filters in every combination.

What is asked for is frequent, rare, or fits nothing; `until` is the moment that the crowd's year ends.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Any, Final
from uuid import UUID

from benchmarks.crowd import FLOWS, ONLY_STAGING, RARE_FLOW, SUBSCRIBERS
from benchmarks.crowd_acts import ACTORS, RARE_ACTOR, RARE_ENDPOINT
from statekeeper.core.acts import Deed
from statekeeper.store.queries import Queries
from statekeeper.store.queries.audit import AuditFilter
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.queries.listing import Listing, ListingFilter

NOBODY: Final = UUID(int=0)
_WALKED: Final = 200  # pages before the deep one
Question = Callable[[], Awaitable[Any]]


async def pages(queries: Queries, until: datetime) -> dict[str, Question]:
    """What each page asks, by its name."""
    first = await queries.listing.page(ListingFilter())
    deep = await _deep(queries, first)
    some = first.items[7].session_id
    return {
        "sessions, the first page": lambda: queries.listing.page(ListingFilter()),
        f"sessions, behind {_WALKED} pages": lambda: queries.listing.page(ListingFilter(), 50, deep),
        "sessions, by the first eight digits": lambda: queries.listing.page(ListingFilter(part=some.hex[:8])),
        "the filter's choices": queries.listing.choices,
        "a session": lambda: queries.cases.find(some),
        "overview": queries.overview.read,
        "callbacks, the first page": lambda: queries.callbacks.page(CallbackFilter()),
        "callbacks, due now": lambda: queries.callbacks.page(CallbackFilter(("pending",), due_by=until)),
        "callbacks, dead": lambda: queries.callbacks.page(CallbackFilter(statuses=("dead",))),
        "callbacks by subscriber": queries.callbacks.owed,
        **await trail(queries, until),
        "metrics": queries.monitoring.gauges,
    }


async def trail(queries: Queries, until: datetime) -> dict[str, Question]:
    """What the audit trail is asked for: what many entries have, what only the eldest have, and what none has."""
    retries = (await queries.audit.page(AuditFilter(act=Deed.RETRY.value), 200)).items
    filters = {
        "the first page": AuditFilter(),
        "by an actor": AuditFilter(actor=ACTORS[0]),
        "by a rare actor": AuditFilter(actor=RARE_ACTOR),
        "by an act": AuditFilter(act=Deed.NOTE.value),
        "by a rare act": AuditFilter(act=Deed.ENDPOINT_CREATE.value),
        "by an endpoint": AuditFilter(subject=SUBSCRIBERS[0]),
        "by a rare endpoint": AuditFilter(subject=RARE_ENDPOINT),
        "by a session": AuditFilter(session_id=next((each.session_id for each in retries), NOBODY)),
        "by a callback": AuditFilter(callback_id=next(filter(None, (each.callback_id for each in retries)), NOBODY)),
        "before its last 300 days": AuditFilter(until=until - timedelta(days=300)),
        "what fits nothing": AuditFilter(actor="nobody", act=Deed.NOTE.value),
    }
    return {f"audit trail, {name}": partial(queries.audit.page, wanted) for name, wanted in filters.items()}


async def _deep(queries: Queries, page: Listing) -> str | None:
    for _ in range(_WALKED):
        if page.next_cursor:
            page = await queries.listing.page(ListingFilter(), 50, page.next_cursor)
    return page.next_cursor


def combinations(until: datetime) -> Iterator[dict[str, Any]]:
    """Every combination of the list's filters."""
    values: dict[str, tuple[Any, ...]] = {
        "states": ((), ("completed",), ("error",), ("pending",), ("error", "created"), ("unheard of",)),
        "environment": (None, "live", "load", "nowhere"),
        "flow_id": (None, next(iter(FLOWS)), ONLY_STAGING, RARE_FLOW),
        "gap": (False, True),
        "dead": (False, True),
        "contradicted": (False, True),
        "times": ({}, {"until": until - timedelta(days=300)}),
    }
    for chosen in product(*values.values()):
        wanted = dict(zip(values, chosen, strict=True))
        yield wanted | wanted.pop("times")
    for part in ("abcd", "0123", "f0f0f0", "f0f0f0f0"):
        for gap, dead, environment in product((False, True), (False, True), (None, "live")):
            yield {"part": part, "gap": gap, "dead": dead, "environment": environment}
