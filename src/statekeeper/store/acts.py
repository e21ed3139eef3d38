"""The acts of support, planned and executed: one transaction each, with its entry in the audit trail.

`plan` reads, and says what `perform` would do; `perform` does it under the locks that it takes, and records what it has
done in the words of the plan. What is refused is refused by both, and before anything is written.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from statekeeper.core.acts import Act, Actor, CloseGap, Note, Resend, Retry, require_reason
from statekeeper.core.closing import Closing, plan_closing
from statekeeper.core.errors import GapMoved, NotFound, NothingHeld
from statekeeper.store import audit, dead_letters
from statekeeper.store.act_plans import callback_plan, effect, gap_plan, note_plan
from statekeeper.store.audit import Record
from statekeeper.store.batch import Batch
from statekeeper.store.journal import Entry, Journal
from statekeeper.store.ledger import Ledger
from statekeeper.store.views import ActPlanView


def plan(connection: Connection, journal: Journal, act: Act) -> ActPlanView:
    """What the act would do as things are, whatever was expected. Raises what `perform` does."""
    match act:
        case Retry() | Resend():
            row = dead_letters.look(connection, act.callback_id, delivered=isinstance(act, Resend))
            return callback_plan(act, row)
        case CloseGap():
            return gap_plan(act, _plan_closing(act, _open(connection, journal, act.session_id), journal))
        case Note():
            _open(connection, journal, act.session_id)
            return note_plan(act)


def perform(connection: Connection, journal: Journal, act: Act, actor: Actor, now: datetime) -> Entry:
    """Do it, and record it.

    Raises `BodyRefused` for want of a reason, `NotFound`, `AlreadyDelivered`, `NotDelivered`, `NothingHeld`,
    `CallbackMoved` or `GapMoved`. The entry has the act among its `acts`, and whoever watches the session is to be
    told.
    """
    require_reason(act)
    entry, done = _do(connection, journal, act, now)
    record = Record(act.deed, done.session_id, done.callback_id, reason=act.reason, effect=effect(done))
    entry_id = audit.record(connection, actor, record, now)
    entry.acts.append(audit.shown(actor, entry_id, record, now))
    if done.session_id:
        entry.changed.add(done.session_id)
    return entry


def _do(connection: Connection, journal: Journal, act: Act, now: datetime) -> tuple[Entry, ActPlanView]:
    match act:
        case Retry() | Resend():
            return Entry(), callback_plan(act, dead_letters.revive(connection, act, now))
        case CloseGap():
            ledger = _open(connection, journal, act.session_id, lock=True)
            closing = _plan_closing(act, ledger, journal)
            # at once, before anything is awaited: the subscribers are those that it was planned with
            return journal.close_gap(connection, ledger, now), gap_plan(act, closing)
        case Note():
            return Entry(), plan(connection, journal, act)


def _open(connection: Connection, journal: Journal, session_id: UUID, *, lock: bool = False) -> Ledger:
    ledger = Batch(connection, journal.charts).open_one(session_id, lock=lock)
    if ledger is None:
        raise NotFound("session", session_id)
    return ledger


def _plan_closing(act: CloseGap, ledger: Ledger, journal: Journal) -> Closing:
    """What it would come to; raises `NothingHeld` or `GapMoved`."""
    closing = plan_closing(ledger.chart, ledger.snapshot, journal.subscribers, ledger.updated_at)
    if closing is None:
        raise NothingHeld(act.session_id)
    if act.expected not in {None, closing.given_up}:
        raise GapMoved(act.session_id)
    return closing
