"""The use cases: a webhook is received, gaps are closed, a consumer of the feed is moved.

`Engine.receive` is one webhook's way, with no way back: whoever reads it has read the service. All before `submit` is
cached or pure (only an unknown key does I/O); after it the event is on disk, or the sender is told to come again.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from statekeeper import metrics
from statekeeper.core.acts import Actor
from statekeeper.core.arrivals import Arrival, Receipt
from statekeeper.core.errors import NotAnEvent, Unavailable
from statekeeper.core.events import SessionEvent, read_event, status_fits
from statekeeper.core.machine import Disposition
from statekeeper.store import recorded
from statekeeper.store.consumers import Placement
from statekeeper.store.journal import Journal
from statekeeper.store.refusals import Refusal
from statekeeper.trust.keyring import Keyring
from statekeeper.trust.keys import VerificationKey
from statekeeper.trust.verification import Token, WebhookPolicy, read_token, verify
from statekeeper.watchers import Watchers
from statekeeper.writer import Writer

LONGEST_TICK: Final = 2.0
SHORTEST_TICK: Final = 0.05
_TAKEN: Final = {disposition: metrics.EVENTS.labels(disposition) for disposition in Disposition}
log = structlog.get_logger()


@dataclass(slots=True)
class Engine:
    """The service, without its HTTP.

    `clock` is the node's, in seconds since the epoch, and used for `iat` and `exp` only.
    """

    keyring: Keyring
    policy: WebhookPolicy
    journal: Journal
    writer: Writer
    watchers: Watchers
    clock: Callable[[], float] = time.time

    async def receive(self, body: bytes) -> Receipt:
        """Take one webhook; returns once it is on disk. Raises `WebhookRefused` or `Unavailable`."""
        token = read_token(body)
        key = await self.keyring.key_for(token)
        claims = verify(token, key, self.policy, self.clock())
        event = await self._read(claims, token, key)
        receipt = await self.writer.submit(Arrival(event, token.text, key.signing_key))
        self._count(event, receipt)
        return receipt

    async def close_gaps(self) -> int:
        """Give up on all gaps whose time is over, some sessions a transaction; returns how many gaps there were."""
        closed = 0
        while swept := (await self.writer.execute(self.journal.sweep)).gaps_closed:
            closed += swept
        if closed:
            log.warning("gaps_closed", gaps=closed)
        return closed

    async def place_consumer(self, placement: Placement, actor: Actor) -> bool:
        """Make or move a consumer of the feed; whether it is new. Raises what `consumers.place` does."""
        return await self.writer.execute(lambda c, now: recorded.place_consumer(c, placement, actor, now))

    async def remove_consumer(self, name: str, actor: Actor) -> None:
        """Forget a consumer of the feed. Raises `NotFound`."""
        await self.writer.execute(lambda c, now: recorded.remove_consumer(c, name, actor, now))

    async def watch_gaps(self) -> None:
        """Close gaps for ever, at least every two seconds, and notice when a store that failed is well again.

        To be supervised.
        """
        tick = min(LONGEST_TICK, max(self.journal.gap_timeout / timedelta(seconds=4), SHORTEST_TICK))
        while True:
            try:
                if not self.writer.healthy:
                    await self.writer.probe()
                await self.close_gaps()
            except Unavailable as error:
                log.warning("gaps_not_swept", reason=error.reason)
            await asyncio.sleep(tick)

    async def _read(self, claims: Mapping[str, Any], token: Token, key: VerificationKey) -> SessionEvent:
        """The event of a verified token; what is none is kept for the operator, if it can be, before it is refused."""
        try:
            return read_event(claims.get("data"))
        except NotAnEvent as error:
            await self._keep(Refusal(error.faults, token.text, key.signing_key))
            raise

    async def _keep(self, refusal: Refusal) -> None:
        try:
            await self.writer.offer(lambda connection, now: self.journal.refuse(connection, refusal, now))
        except Unavailable as error:
            log.warning("refusal_not_kept", reason=error.reason)

    def _count(self, event: SessionEvent, receipt: Receipt) -> None:
        _TAKEN[receipt.disposition].inc()
        if not status_fits(event):
            metrics.UNFITTING_STATUS.inc()
            log.warning("status_does_not_fit", session_id=str(event.session_id), event_name=event.name)
