"""Backfill: what a subscriber would have been told of the sessions that have ended, had it been there.

A page is so many ended sessions, the earliest end first, wanted or not: it costs the same however few are wanted. Of
each that its filters fit, and that it has no callback of, it gets the one that it would have got: the same id, the same
body. What a session's end says stands in its rows unchanged from then on, so that the body is the same byte for byte.

Ends only, also for those that are told of every step: what an earlier step's certificate said is in no row.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, false, func, select

from statekeeper.core.callbacks import Callback, SessionEnded, callback_id
from statekeeper.core.events import SessionEvent
from statekeeper.core.machine import Cause, Step
from statekeeper.core.recovery import Recovery
from statekeeper.core.snapshot import Snapshot
from statekeeper.core.subscribers import Match, Scope, Subscriber
from statekeeper.store.pages import Portion, onward, write_cursor
from statekeeper.store.rows import callback_row, read_snapshot
from statekeeper.store.statements import insert_missing
from statekeeper.store.tables import CallbackRow, SessionRow, TransitionRow, table

_sessions: Final = table(SessionRow)
_transitions: Final = table(TransitionRow)
_callbacks: Final = table(CallbackRow)


def count(connection: Connection, recovery: Recovery) -> int:
    """How many callbacks are missing."""
    missing = ~select(_callbacks.c.session_id).where(_told(recovery)).exists()
    wanted = (*_ended(recovery), *_fitting(recovery.subscriber), missing)
    found: int = connection.execute(select(func.count()).select_from(_sessions).where(*wanted)).scalar_one()
    return found


def advance(connection: Connection, recovery: Recovery, place: str | None, limit: int, now: datetime) -> Portion:
    """Write what is missing of the next page."""
    rows = connection.execute(page(recovery, place, limit)).all()
    missing = [callback_row(each, now, now) for each in _callbacks_of(rows, recovery.subscriber)]
    insert_missing(connection, _callbacks, missing)
    last = rows[-1] if len(rows) == limit else None
    return Portion(len(missing), write_cursor((last.ended_at, last.session_id)) if last else None)


def page(recovery: Recovery, place: str | None, limit: int) -> Any:  # noqa: ANN401 -- a SELECT of many columns
    """The sessions behind the place, the earliest end first: with their last step, and whether it has been told of."""
    time, key = _sessions.c.ended_at, _sessions.c.session_id
    step = and_(_transitions.c.session_id == key, _transitions.c.ordinal == _sessions.c.ordinal)
    return (
        select(_sessions, *_STEP, _callbacks.c.callback_id.is_not(None).label("told"))
        .select_from(_sessions.join(_transitions, step).outerjoin(_callbacks, _told(recovery)))
        .where(*_ended(recovery, place))
        .order_by(time, key)
        .limit(limit)
    )


def _callbacks_of(rows: Any, subscriber: Subscriber) -> Iterator[Callback]:  # noqa: ANN401 -- a list of rows has no type
    for row in rows:
        snapshot = read_snapshot(row)
        if not row.told and subscriber.match(snapshot.state, snapshot.decided) is Match.YES:
            yield Callback(subscriber.name, _step(row), _end(row, snapshot, subscriber), detailed=subscriber.ordered)


def _step(row: Any) -> Step:  # noqa: ANN401 -- a row has no type
    """A session's last step. It always bears an event, since nothing could have been inferred from behind it."""
    event = SessionEvent(row.event_id, row.trigger, row.sequence, row.session_id)
    return Step(row.ordinal, row.source, row.target, row.trigger, Cause(row.cause), event)


def _end(row: Any, snapshot: Snapshot, subscriber: Subscriber) -> SessionEnded:  # noqa: ANN401 -- a row has no type
    return SessionEnded(
        callback_id=callback_id(snapshot.session_id, snapshot.ordinal, subscriber.name),
        session_id=snapshot.session_id,
        flow_id=snapshot.decided.flow_id,
        environment=snapshot.decided.environment,
        state=snapshot.state,
        ended_at=row.ended_at,
        last_step=snapshot.last_step,
        sequences=list(snapshot.applied),
        contiguous=snapshot.contiguous,
        inferred=list(snapshot.inferred),
        given_up=list(snapshot.given_up),
    )


def _ended(recovery: Recovery, place: str | None = None) -> tuple[ColumnElement[bool], ...]:
    time, key = _sessions.c.ended_at, _sessions.c.session_id
    return *onward(time, key, recovery.since, place), time < recovery.until


def _told(recovery: Recovery) -> ColumnElement[bool]:
    return and_(
        _callbacks.c.session_id == _sessions.c.session_id,
        _callbacks.c.ordinal == _sessions.c.ordinal,
        _callbacks.c.subscriber == recovery.subscriber.name,
    )


def _fitting(subscriber: Subscriber) -> Iterator[ColumnElement[bool]]:
    """`Subscriber.match` in SQL, for the count alone: what is unknown is in no list, so that it fits no filter."""
    if subscriber.scope is Scope.NONE:
        yield false()
    for column, wanted in (
        (_sessions.c.state, subscriber.states),
        (_sessions.c.decided_environment, subscriber.environments),
        (_sessions.c.decided_flow_id, subscriber.flows),
    ):
        if wanted:
            yield column.in_(sorted(wanted))


_STEP: Final = tuple(_transitions.c[name] for name in ("source", "target", "trigger", "cause", "event_id", "sequence"))
