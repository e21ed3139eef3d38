"""The callbacks as a queue, by lease.

A claim moves `due_at` a lease ahead and raises `attempt`, which is the fence: a worker that comes back after its lease
ran out finds another number there and changes nothing, except that a delivery always counts. A crash needs no rescuer:
the lease runs out, and the next claim records the unsettled attempt as interrupted. That uses up no entry of the
schedule, since `tries` counts settled failures only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

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

from statekeeper.core.errors import AlreadyDelivered, NotFound
from statekeeper.core.retry import Attempt, Dead, Delivered, Outcome, RetryAt, Verdict
from statekeeper.store import turns
from statekeeper.store.rows import Row
from statekeeper.store.statements import insert_missing, upsert
from statekeeper.store.tables import AttemptRow, CallbackRow, table
from statekeeper.store.turns import BEHIND_ANOTHER

_callbacks: Final = table(CallbackRow)
_attempts: Final = table(AttemptRow)
_PENDING: Final = (_callbacks.c.status == "pending",)
PORTION: Final = 10_000
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt, claimed: `number` counts all attempts from 1, `tries` the failures settled in this schedule."""

    callback_id: UUID
    session_id: UUID
    ordinal: int
    subscriber: str
    body: str
    number: int
    tries: int

    @property
    def is_notice(self) -> bool:
        return self.ordinal == 0


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
    _record_interrupted(
        connection, [(replace(each, number=each.number - 1), before[each.callback_id]) for each in claims]
    )
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
    _record(
        connection, claim, attempt
    )  # behind the callback, as a claim does: in another order two could wait in a circle
    return counted


def revive(connection: Connection, callback_id: UUID, now: datetime) -> None:
    """Make a callback due at once, with a fresh schedule; attempt numbers go on. `NotFound`, `AlreadyDelivered`."""
    row = connection.execute(_revivable([callback_id])).one_or_none()
    if row is None:
        raise NotFound("callback", callback_id)
    if row.status == "delivered":
        raise AlreadyDelivered(callback_id)
    _revive(connection, [row], now)
    turns.release(connection, row.session_id, row.ordinal, row.subscriber, now)


def revive_dead(connection: Connection, callback_ids: Sequence[UUID], now: datetime) -> int:
    """Revive those of these that are dead, and return how many there were."""
    dead = _revivable(callback_ids).where(_callbacks.c.status == "dead")
    rows = connection.execute(dead).all() if callback_ids else []
    _revive(connection, rows, now)
    return len(rows)


def _revivable(callback_ids: Sequence[UUID]) -> Select[Any]:
    query = select(*_CLAIM, _callbacks.c.status, _callbacks.c.claimed_at)
    return query.where(_callbacks.c.callback_id.in_(callback_ids)).with_for_update()


def _revive(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    _record_interrupted(connection, [(Claim(*row[: len(_CLAIM)]), row.claimed_at) for row in rows])
    due = {"status": "pending", "tries": 0, "due_at": now, "claimed_at": None}
    revived = update(_callbacks).where(_callbacks.c.callback_id.in_([row.callback_id for row in rows]))
    if rows:
        connection.execute(revived.values(due))


def release(connection: Connection, claim: Claim, now: datetime) -> None:
    """Give a claim back of which no attempt was made: it is due again at once, to whoever can make one."""
    connection.execute(
        update(_callbacks)
        .where(*_is(claim), *_PENDING, _callbacks.c.attempt == claim.number, _callbacks.c.claimed_at.is_not(None))
        .values(due_at=now, claimed_at=None)
    )


def bury(connection: Connection, subscriber: str, limit: int = PORTION) -> int:
    """What a subscriber who is no more was owed becomes dead: kept, and sent if somebody asks; returns how many.

    They are `limit` at most, so that nobody else waits for long. An attempt that is under way counts for nothing but a
    delivery.
    """
    owed = (_callbacks.c.subscriber == subscriber, *_PENDING)
    query = select(*_CLAIM, _callbacks.c.claimed_at).where(*owed, _callbacks.c.claimed_at.is_not(None))
    claimed = connection.execute(query.with_for_update()).all()
    _record_interrupted(connection, [(Claim(*row[: len(_CLAIM)]), row.claimed_at) for row in claimed])
    # A common table expression is read once. PostgreSQL may read a plain subquery again for each row it looks at, and a
    # limit that locks gives other rows each time: more than the limit would die.
    portion = select(_callbacks.c.callback_id).where(*owed).limit(limit).with_for_update().cte("portion", nesting=True)
    buried = update(_callbacks).where(_callbacks.c.callback_id.in_(select(portion.c.callback_id)))
    return connection.execute(buried.values(status="dead", due_at=None, claimed_at=None)).rowcount


def _follow(verdict: Verdict, claim: Claim, attempt: Attempt, now: datetime) -> tuple[Update, Row]:
    fence = {"of_number": claim.number, "used": claim.tries + 1}
    match verdict:
        case Delivered():
            return _DELIVER, {"now": now, "said": attempt.receipt}
        case RetryAt(due_at):
            return _PUT_OFF, fence | {"until": due_at}
        case Dead():
            return _END, fence


def _record_interrupted(connection: Connection, claims: list[tuple[Claim, datetime | None]]) -> None:
    """Whoever claimed these, at that time, has not settled them: they count as over, and their fate is unknown."""
    rows = [
        _key(claim)
        | {"number": claim.number, "at": at, "duration_ms": 0, "outcome": Outcome.FAILED, "detail": INTERRUPTED}
        for claim, at in claims
        if at is not None
    ]
    if rows:
        insert_missing(connection, _attempts, rows)


def _record(connection: Connection, claim: Claim, attempt: Attempt) -> None:
    """An attempt that had been taken for interrupted, and came back, is recorded as what it was."""
    said = {
        "at": attempt.at,
        "duration_ms": attempt.duration_ms,
        "outcome": attempt.outcome,
        "detail": attempt.detail,
        "response": attempt.response,
    }
    upsert(connection, _attempts, [_key(claim) | {"number": claim.number} | said])


def _key(claim: Claim) -> dict[str, Any]:
    return {"session_id": claim.session_id, "ordinal": claim.ordinal, "subscriber": claim.subscriber}


def _is(claim: Claim) -> list[Any]:
    return [_callbacks.c[name] == value for name, value in _key(claim).items()]


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
_CLAIM: Final = (
    _callbacks.c.callback_id,
    _callbacks.c.session_id,
    _callbacks.c.ordinal,
    _callbacks.c.subscriber,
    _callbacks.c.body,
    _callbacks.c.attempt,
    _callbacks.c.tries,
)
_TAKE: Final = (
    update(_callbacks)
    .where(_callbacks.c.callback_id.in_(bindparam("ids", expanding=True)))
    .values(attempt=_callbacks.c.attempt + 1, due_at=bindparam("until"), claimed_at=bindparam("now"))
    .returning(*_CLAIM)
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
