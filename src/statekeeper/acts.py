"""The acts of support, by whichever door they are asked for: the console, the API, the command line.

First what an act would do, then the act: both by the same pure functions. An act is one transaction with its entry in
the audit trail; once that is on disk, the relay and whoever watches the session are told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from statekeeper.core.acts import Act, Actor, Deed, Resend, Retry
from statekeeper.delivery.courier import Execute
from statekeeper.delivery.directory import Read
from statekeeper.store import acts as store
from statekeeper.store.journal import Journal
from statekeeper.store.views import ActPlanView, AuditView

_LINES: Final = {
    Deed.RETRY: "callback_retried",
    Deed.RESEND: "callback_resent",
    Deed.CLOSE_GAP: "gap_closed_by_hand",
    Deed.NOTE: "session_noted",
}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Acts:
    """Plans acts and performs them. `journal` owes callbacks to the subscribers that there are now.

    `execute` is the writer's: it puts the steps into the feed, and tells those who watch. `where` says where a
    subscriber's callbacks go, as far as that may be shown; `wake` tells the relay that something may be due.
    """

    execute: Execute
    read: Read
    journal: Journal
    where: Callable[[str], str | None] = lambda _name: None
    wake: Callable[[], None] = lambda: None

    async def plan(self, act: Act) -> ActPlanView:
        """What the act would do as things are, and which callbacks would go out; nothing is changed.

        Raises what `perform` does.
        """
        plan = await self.read(lambda connection: store.plan(connection, self.journal, act))
        callbacks = [msgspec.structs.replace(each, url=self.where(each.subscriber)) for each in plan.callbacks]
        return msgspec.structs.replace(plan, callbacks=callbacks)

    async def perform(self, act: Act, actor: Actor) -> AuditView:
        """Do it; returns how it stands in the trail, once both are on disk.

        Raises `BodyRefused` without a reason where one is needed, `NotFound`, `AlreadyDelivered`, `NotDelivered`,
        `NothingHeld`, `CallbackMoved`, `GapMoved` or `Unavailable`.
        """
        entry = await self.execute(lambda connection, now: store.perform(connection, self.journal, act, actor, now))
        self.wake()
        (done,) = entry.acts
        key = {"callback_id": act.callback_id} if isinstance(act, Retry | Resend) else {"session_id": act.session_id}
        log.info(
            _LINES[act.deed], **{name: str(each) for name, each in key.items()}, by=actor.name, via=actor.via.value
        )
        return done
