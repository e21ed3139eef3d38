"""The requests: real stories by the simulator, signed before anything is measured.

A story is a session from its creation to its end; now and then its events come in the wrong order, are repeated, or are
ones that the chart does not know. Stories overlap, as those of a day do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from benchmarks.load import HOST, Outgoing
from statekeeper.simulator.issuer import Issuer
from statekeeper.simulator.plots import Faults, tell
from statekeeper.simulator.stories import Delivery, Story

ISSUER = "https://issuer.example/oidc"
AUDIENCE = "https://statekeeper.example/webhooks/idnow"
WEBHOOK = "/webhooks/idnow"
_FAULTS = Faults(reordered=0.08, delayed=0, repeated=0.05, dropped=0, lost=0, forged=0)
_EVENTS_A_SESSION = 2.2


@dataclass(frozen=True, slots=True)
class Traffic:
    """Webhooks in the order in which they are sent, and the file of the keys that they are signed by."""

    webhooks: tuple[Outgoing, ...]
    sessions: tuple[UUID, ...]
    keys: Path

    def first(self, count: int) -> Iterator[Outgoing]:
        return iter(self.webhooks[:count])


def open_issuer(keys: Path) -> Issuer:
    return Issuer(ISSUER, path=keys)


def sign_traffic(
    issuer: Issuer, keys: Path, count: int, seed: int, on_progress: Callable[[int], None] = lambda _done: None
) -> Traffic:
    """At least `count` webhooks, all of them right and none of them lost."""
    stories = tell(int(count / _EVENTS_A_SESSION * 1.1) + 10, seed, _FAULTS).stories
    deliveries = sorted(
        ((story, delivery) for story in stories for delivery in story.deliveries), key=lambda pair: pair[1].at
    )[:count]
    webhooks = []
    for done, (story, delivery) in enumerate(deliveries, 1):
        webhooks.append(Outgoing(post(WEBHOOK, issuer.sign(claims(issuer, story, delivery)).encode())))
        on_progress(done)
    return Traffic(tuple(webhooks), tuple({story.session_id: None for story, _ in deliveries}), keys)


def claims(issuer: Issuer, story: Story, delivery: Delivery) -> dict[str, object]:
    data = story.data(delivery.event, delivery.attempt, datetime.now(UTC))
    return issuer.claims(data, AUDIENCE, time.time())


def post(path: str, body: bytes, content_type: str = "application/jwt") -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"host: {HOST}", f"content-type: {content_type}", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()
