"""The callbacks as a queue, by lease.

A claim moves `due_at` a lease ahead and raises `attempt`, which is the fence: a worker that comes back after its lease
ran out finds another number there and changes nothing, except that a delivery always counts. A crash needs no rescuer:
the lease runs out, and the next claim records the unsettled attempt as interrupted. That uses up no entry of the
schedule, since `tries` counts settled failures only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Connection,
    FunctionElement,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from statekeeper.core.retry import Attempt, Dead, Delivered, RetryAt, Verdict
from statekeeper.store import turns
from statekeeper.store.attempts import CLAIM, Claim, record, record_interrupted
from statekeeper.store.rows import Row
from statekeeper.store.tables import CallbackRow, table
from statekeeper.store.turns import BEHIND_ANOTHER

_callbacks: Final = table(CallbackRow)


def claim(
    connection: Connection, subscriber: str, limit: int, now: datetime, lease: timedelta, *, ordered: bool = False
) -> list[Claim]:
    """Claim up to `limit` callbacks of one subscriber that are due; what another worker holds is passed over.

    `ordered` leaves out what is behind a pending one of its session, due or not: a dead one is waited for no longer.
    """
    query = _DUE_IN_ORDER if ordered else _DUE
    found = connection.execute(query, {"of_subscriber": subscriber, "now": now, "most": limit}).all()
    if ordered and len(found) < limit:
        turns.park(connection, subscriber, now)
    if not found:
        return []
    taken = {"ids": [row.callback_id for row in found], "until": now + lease, "now": now}
    claims = [Claim(*row) for row in connection.execute(_TAKE, taken)]
    before = {row.callback_id: row.claimed_at for row in found}
    earlier = ((replace(each, number=each.number - 1), before[each.callback_id]) for each in claims)
    record_interrupted(connection, earlier)
    return claims


def due_among(connection: Connection, subscribers: Sequence[str], now: datetime) -> set[str]:
    """Those of these for whom a claim might find something."""
    due = {"names": list(subscribers), "now": now}
    return set(connection.execute(_DUE_AMONG[connection.dialect.name], due).scalars())


def is_subscriber(connection: Connection, name: str) -> bool:
    """Whether anybody of this name was ever owed a callback."""
    query = select(_callbacks.c.callback_id).where(_callbacks.c.subscriber == name).limit(1)
    return connection.execute(query).first() is not None


def settle(connection: Connection, claim: Claim, attempt: Attempt, verdict: Verdict, now: datetime) -> bool:
    """Record an attempt and what follows from it; False if the claim had passed on, so that nothing followed."""
    statement, values = _follow(verdict, claim, attempt, now)
    which = {"of_session": claim.session_id, "of_ordinal": claim.ordinal, "of_subscriber": claim.subscriber}
    counted = connection.execute(statement, which | values).rowcount == 1
    record(connection, claim, attempt)  # behind the callback, as a claim does: else two could wait in a circle
    return counted


def release(connection: Connection, claim: Claim, now: datetime) -> None:
    """Give a claim back of which no attempt was made: it is due again at once, to whoever can make one."""
    unsettled = (
        *(_callbacks.c[name] == value for name, value in claim.key.items()),
        _callbacks.c.status == "pending",
        _callbacks.c.attempt == claim.number,
        _callbacks.c.claimed_at.is_not(None),
    )
    connection.execute(update(_callbacks).where(*unsettled).values(due_at=now, claimed_at=None))


def _follow(verdict: Verdict, claim: Claim, attempt: Attempt, now: datetime) -> tuple[Update, Row]:
    fence = {"of_number": claim.number, "used": claim.tries + 1}
    match verdict:
        case Delivered():
            return _DELIVER, {"now": now, "said": attempt.receipt}
        case RetryAt(due_at):
            return _PUT_OFF, fence | {"until": due_at}
        case Dead():
            return _END, fence


def _due_among(each: Callable[..., FunctionElement[Any]]) -> Select[Any]:
    """Those of some names to whom something is due: a look-up in the index of what is pending for each of them.

    What PostgreSQL could plan as a scan of everything is kept from it: the look-up is a scalar subquery and not joined,
    and the index's condition is no parameter.
    """
    names = each(bindparam("names", type_=JSON)).table_valued("value")
    owed = (_callbacks.c.status == literal_column("'pending'"), _callbacks.c.subscriber == names.c.value)
    earliest = select(func.min(_callbacks.c.due_at)).where(*owed).correlate(names)
    return select(names.c.value).where(earliest.scalar_subquery() <= bindparam("now"))


_DUE_AMONG: Final = {"postgresql": _due_among(func.json_array_elements_text), "sqlite": _due_among(func.json_each)}
_ANY_DUE: Final = (  # these are built once, since they are executed with every callback: to build one costs as much
    select(_callbacks.c.callback_id, _callbacks.c.attempt, _callbacks.c.claimed_at)
    .where(
        _callbacks.c.subscriber == bindparam("of_subscriber"),
        _callbacks.c.status == "pending",
        _callbacks.c.due_at <= bindparam("now"),
    )
    .order_by(_callbacks.c.due_at)
    .limit(bindparam("most"))
)
_DUE: Final = _ANY_DUE.with_for_update(skip_locked=True)
_DUE_IN_ORDER: Final = _ANY_DUE.where(~BEHIND_ANOTHER).with_for_update(skip_locked=True, of=_callbacks)
_TAKE: Final = (
    update(_callbacks)
    .where(_callbacks.c.callback_id.in_(bindparam("ids", expanding=True)))
    .values(attempt=_callbacks.c.attempt + 1, due_at=bindparam("until"), claimed_at=bindparam("now"))
    .returning(*CLAIM)
)
_UNDELIVERED: Final = update(_callbacks).where(
    _callbacks.c.session_id == bindparam("of_session"),
    _callbacks.c.ordinal == bindparam("of_ordinal"),
    _callbacks.c.subscriber == bindparam("of_subscriber"),
    _callbacks.c.status != "delivered",
)
_FENCED: Final = _UNDELIVERED.where(
    _callbacks.c.attempt == bindparam("of_number"), _callbacks.c.claimed_at.is_not(None)
).values(tries=bindparam("used"), claimed_at=None)
_DELIVER: Final = _UNDELIVERED.values(
    status="delivered", delivered_at=bindparam("now"), receipt=bindparam("said"), due_at=None, claimed_at=None
)
_PUT_OFF: Final = _FENCED.values(due_at=bindparam("until"))
_END: Final = _FENCED.values(status="dead", due_at=None)
