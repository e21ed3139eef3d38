"""A store full of sessions, as a year of a large customer leaves it: written in bulk, and the same for the same seed.

Most sessions go as they should. One in a hundred has a gap, one in two hundred a conflict, one in a hundred a dead
callback; some values are frequent and some are rare, and one flow runs in one environment only, since it is the filters
that fit almost nothing which are slow. Rows are what the service would have written, but for the tokens, whose
signatures are none.
"""

import base64
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import uvloop
from sqlalchemy import Connection, create_engine

from statekeeper.resources import default_chart
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.statements import insert
from statekeeper.store.tables import (
    AttemptRow,
    CallbackRow,
    ChartRow,
    EventRow,
    FeedHeadRow,
    MinuteRow,
    SessionRow,
    TransitionRow,
    UptimeRow,
    table,
)

CHUNK: Final = 10_000
CHART: Final = default_chart()
ENVIRONMENTS: Final = {"live": 65.0, "staging": 25.0, "test": 9.5, None: 0.49, "load": 0.01}
FLOWS: Final = {f"f10e0000-0000-4000-8000-00000000000{number}": weight for number, weight in enumerate((50, 20, 10))}
ONLY_STAGING: Final = "f10e0000-0000-4000-8000-0000000000aa"
RARE_FLOW: Final = "f10e0000-0000-4000-8000-0000000000bb"
ENDS: Final = {"completed": 80.0, "expired": 8.0, "aborted": 7.0, "error": 2.0, "created": 2.9, "pending": 0.1}
SUBSCRIBERS: Final = ("crm", "archive")
RARE_SUBSCRIBER: Final = "audit"
_YEAR: Final = timedelta(days=365)
_Rows = dict[type[Any], list[dict[str, Any]]]


@dataclass(slots=True)
class Crowd:
    """Draws the sessions, the eldest first, and remembers what has to be counted over all of them."""

    count: int
    until: datetime
    seed: int = 7
    position: int = 0
    ends: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def chunks(self) -> Iterator[_Rows]:
        """The rows of all tables, so many sessions at a time."""
        draw = random.Random(self.seed)
        pace = _YEAR / self.count
        for begin in range(0, self.count, CHUNK):
            rows: _Rows = {of: [] for of in (SessionRow, EventRow, TransitionRow, CallbackRow, AttemptRow)}
            for number in range(begin, min(begin + CHUNK, self.count)):
                self._tell(draw, number, _cut(self.until - _YEAR + pace * number), rows)
            yield rows

    def _tell(self, draw: random.Random, number: int, at: datetime, rows: _Rows) -> None:
        session = UUID(int=draw.getrandbits(128), version=4)
        flow, environment = _origin(draw, number)
        state = draw.choices(tuple(ENDS), tuple(ENDS.values()))[0]
        gap, contradicted = draw.random() < 0.01, draw.random() < 0.005
        seconds = draw.uniform(20, 900)
        ended = _cut(at + timedelta(seconds=seconds))
        final = CHART.is_final(state)
        held = [3] if state == "pending" or (gap and not final) else []
        begun = state != "pending"
        numbers = ([1] if begun and not (gap and final) else []) + ([2] if final else []) + held
        rows[SessionRow].append(
            {
                "session_id": session,
                "state": state,
                "terminal": final,
                "cursor": 2 if final else int(begun),
                "contiguous": not (gap and final),
                "contradicted": contradicted,
                "given_up": (1,) if gap and final else None,
                "inferred": ("session.created",) if gap and final else None,
                "held": tuple(held),
                "applied": tuple(each for each in numbers if each not in held),
                "ordinal": 2 if final else int(begun),
                "arrivals": len(numbers) + contradicted,
                "flow_id": flow,
                "environment": environment,
                "decided_flow_id": flow,
                "decided_environment": environment,
                "last_step_id": "END-ACCEPT" if final else None,
                "last_step_type": "END" if final else None,
                "last_step_status": state.upper() if final else None,
                "earliest_held_at": at if held else None,
                "chart_id": CHART.id,
                "chart_version": CHART.version,
                "first_seen_at": at,
                "updated_at": ended if final else at,
                "ended_at": ended if final else None,
            }
        )
        origin = {"flow_id": flow, "environment": environment}
        times = {1: at, 2: ended, 3: at}
        for arrival, sequence in enumerate(numbers, 1):
            name = f"session.{'created' if sequence == 1 else state if final else 'completed'}"
            found = "held" if sequence in held else "applied"
            rows[EventRow].append(_event(session, arrival, name, sequence, found, times[sequence], origin))
        if contradicted and numbers:
            claim = _event(session, len(numbers) + 1, "session.error", numbers[0], "conflict", ended, origin)
            rows[EventRow].append(claim | {"event_id": str(uuid5(session, "conflict"))})
        self._step(session, state, gap, at, ended, rows)
        if final:
            _owe(draw, rows[SessionRow][-1], numbers, rows, rare=number % (self.count // 50 or 1) == 0)

    def _step(self, session: UUID, state: str, gap: bool, at: datetime, ended: datetime, rows: _Rows) -> None:
        if state == "pending":
            return
        final = CHART.is_final(state)
        steps = [("pending", "created", at)] + ([("created", state, ended)] if final else [])
        for ordinal, (source, target, when) in enumerate(steps, 1):
            self.position += 1
            self.ends += int(ordinal == 2)
            inferred = gap and final and ordinal == 1
            event = None if inferred else str(uuid5(session, str(ordinal)))
            rows[TransitionRow].append(
                {
                    "session_id": session,
                    "ordinal": ordinal,
                    "source": source,
                    "target": target,
                    "trigger": f"session.{target}",
                    "cause": "inferred" if inferred else "event",
                    "event_id": event,
                    "sequence": None if inferred else ordinal,
                    "at": ended if inferred else when,
                    "reason": "number 1 was given up on" if inferred else None,
                    "terminal": ordinal == 2,
                    "position": self.position,
                    "ends": self.ends,
                }
            )
        self.states[state] += 1


def fill(path: Path, count: int, until: datetime, on_progress: Callable[[int], None] = lambda _done: None) -> None:
    """Make a store there, of the schema of this program, with so many sessions."""
    uvloop.run(_migrate(path))
    engine = create_engine(f"sqlite:///{path}")
    crowd = Crowd(count, _cut(until))
    with engine.begin() as connection:
        for pragma in ("synchronous=OFF", "cache_size=-4000000", "temp_store=MEMORY"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        with _without_indexes(connection):
            for number, rows in enumerate(crowd.chunks(), 1):
                for of, each in rows.items():
                    insert(connection, table(of), each)
                on_progress(min(number * CHUNK, count))
            _round_off(connection, crowd)
    engine.dispose()


async def _migrate(path: Path) -> None:
    database = Database.open(f"sqlite:///{path}")
    await schema.upgrade(database)
    await database.close()


class _without_indexes:  # noqa: N801 -- read as a word of the statement that it opens
    """Within it there are no indexes but those of primary keys; they are made anew, sorted, in the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        of = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        self._indexes: list[tuple[str, str]] = [tuple(row) for row in connection.exec_driver_sql(of)]

    def __enter__(self) -> None:
        for name, _ in self._indexes:
            self._connection.exec_driver_sql(f"DROP INDEX {name}")

    def __exit__(self, *_: object) -> None:
        for _, statement in self._indexes:
            self._connection.exec_driver_sql(statement)


def _round_off(connection: Connection, crowd: Crowd) -> None:
    """What stands once in a store: its chart, the feed's head, its pulse, and the last hour by the minute."""
    chart = {"chart_id": CHART.id, "version": CHART.version, "document": CHART.canonical}
    insert(connection, table(ChartRow), [chart | {"first_used_at": crowd.until - _YEAR}])
    head = {"position": crowd.position, "ends": crowd.ends, "states": dict(crowd.states)}
    connection.execute(table(FeedHeadRow).update(), head)
    connection.execute(
        table(UptimeRow).insert(), {"uptime_id": 1, "up_since": crowd.until - _YEAR, "last_tick": crowd.until}
    )
    draw = random.Random(crowd.seed)
    for ago in range(24 * 60):
        minute = crowd.until.replace(second=0, microsecond=0) - timedelta(minutes=ago)
        taken = {"applied": draw.randint(20, 60), "held": draw.randint(0, 3), "duplicate": draw.randint(0, 4)}
        answers = [0, draw.randint(10, 50), 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0]
        row = {"minute": minute, "node": "bench:1", "events": taken, "refusals": {"expired": draw.randint(0, 1)}}
        connection.execute(table(MinuteRow).insert(), row | {"latencies": answers})


def _origin(draw: random.Random, number: int) -> tuple[str | None, str | None]:
    """A flow and an environment; rare ones stand at fixed places, the eldest sessions among them."""
    environment = draw.choices(tuple(ENVIRONMENTS), tuple(ENVIRONMENTS.values()))[0]
    if number % 50_000 == 25:
        return RARE_FLOW, environment
    if environment == "staging" and draw.random() < 0.4:
        return ONLY_STAGING, environment
    flow = draw.choices(tuple(FLOWS), tuple(FLOWS.values()))[0]
    return (None if draw.random() < 0.005 else flow), environment


def _event(
    session: UUID, arrival: int, name: str, sequence: int, disposition: str, at: datetime, origin: dict[str, Any]
) -> dict[str, Any]:
    event = str(uuid5(session, str(sequence)))
    payload = {"sessionId": str(session), "flowId": origin["flow_id"], "environment": origin["environment"]}
    data = {"eventId": event, "eventName": name, "eventSequence": str(sequence), "payload": payload}
    return {
        "session_id": session,
        "arrival": arrival,
        "event_id": event,
        "name": name,
        "sequence": sequence,
        "digest": sha256(f"{event}{name}{disposition}".encode()).digest(),
        "disposition": disposition,
        **origin,
        "session_status": name.removeprefix("session.").upper(),
        "last_step_id": None,
        "last_step_type": None,
        "last_step_status": None,
        "version": "1",
        "deliver_id": str(arrival),
        "sent_at": at,
        "received_at": at,
        "token": f"eyJhbGciOiJSUzI1NiJ9.{_part({'sub': event, 'iat': int(at.timestamp()), 'data': data})}.{_UNSIGNED}",
        "key_thumbprint": "none",
    }


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def _owe(draw: random.Random, ended_session: dict[str, Any], numbers: list[int], rows: _Rows, *, rare: bool) -> None:
    """What subscribers are owed of an end: mostly delivered at once, now and then dead, and lately some still due."""
    session, state, ended = (ended_session[name] for name in ("session_id", "state", "ended_at"))
    origin = {name: ended_session[name] for name in ("flow_id", "environment")}
    owed = [SUBSCRIBERS[0]] + ([SUBSCRIBERS[1]] if draw.random() < 0.1 else []) + ([RARE_SUBSCRIBER] if rare else [])
    for subscriber in owed:
        chance = draw.random()
        status = "dead" if chance < 0.01 else "pending" if chance < 0.0104 else "delivered"
        tries = {"dead": 10, "pending": 2, "delivered": 1}[status]
        key = {"session_id": session, "ordinal": 2, "subscriber": subscriber}
        callback = uuid5(session, subscriber)
        said = {"callbackId": str(callback), "sessionId": str(session), "flowId": origin["flow_id"]}
        more = {"environment": origin["environment"], "state": state, "endedAt": ended.isoformat(), "lastStep": None}
        proof = {"sequences": numbers, "contiguous": len(numbers) == 2, "inferred": [], "givenUp": []}
        body = {"type": f"session.{state}", "timestamp": ended.isoformat(), "data": said | more | proof}
        rows[CallbackRow].append(
            key
            | {
                "callback_id": callback,
                "state": state,
                "body": json.dumps(body),
                "status": status,
                "attempt": tries,
                "tries": tries,
                "due_at": ended + timedelta(hours=draw.uniform(1, 10_000)) if status == "pending" else None,
                "created_at": ended,
                "delivered_at": ended if status == "delivered" else None,
                "receipt": None,
            }
        )
        for number in range(1, tries + 1):
            well = status == "delivered"
            outcome = {"outcome": "delivered" if well else "failed", "detail": None if well else "HTTP 503"}
            at = ended + timedelta(minutes=number)
            rows[AttemptRow].append(key | {"number": number, "at": at, "duration_ms": 35, **outcome, "response": None})


def _cut(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


_UNSIGNED: Final = base64.urlsafe_b64encode(bytes(256)).rstrip(b"=").decode()


def is_store(path: Path) -> bool:
    """Whether a store of this program's schema is there."""
    if not path.exists():
        return False
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return found == (schema.head(),)
