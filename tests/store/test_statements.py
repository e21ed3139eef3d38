"""Rows that are bound by position are stored as SQLAlchemy itself would store them, on both engines."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import insert as plain_insert
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from databases import rows
from statekeeper.core.machine import Disposition
from statekeeper.store.statements import execute_many, insert, insert_missing, upsert
from statekeeper.store.tables import EventRow, SessionRow, UptimeRow, table

SESSIONS, EVENTS, UPTIME = table(SessionRow), table(EventRow), table(UptimeRow)
NOW = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)


def session(**changes):
    return {
        "session_id": uuid4(),
        "state": "created",
        "terminal": False,
        "cursor": 1,
        "contiguous": True,
        "contradicted": False,
        "held": (3, 4),
        "applied": (1,),
        "ordinal": 1,
        "arrivals": 1,
        "flow_id": None,
        "environment": "staging",
        "chart_id": "idnow-session",
        "chart_version": "0123456789abcdef",
        "first_seen_at": NOW,
        "updated_at": NOW,
        "ended_at": None,
    } | changes


def event(**changes):
    return {
        "session_id": uuid4(),
        "arrival": 1,
        "event_id": "one",
        "name": "session.created",
        "sequence": 1,
        "digest": bytes(range(32)),
        "disposition": Disposition.HELD,
        "sent_at": None,
        "received_at": NOW,
        "token": "token",
        "key_thumbprint": "thumb",
    } | changes


async def do(database, work):
    async with database.writer.begin() as connection:
        return await connection.run_sync(work)


async def stored(database, of):
    async with database.reader.connect() as connection:
        found = await connection.execute(select(of).order_by(of.c.session_id))
        return [row._asdict() for row in found]


@pytest.mark.parametrize(("of", "made"), [(SESSIONS, session), (EVENTS, event)])
async def test_a_row_is_stored_as_sqlalchemy_would_store_it(database, of, made):
    ours, theirs = made(), made()
    await do(database, lambda connection: insert(connection, of, [ours]))
    await do(database, lambda connection: connection.execute(plain_insert(of), [theirs]))
    found = {row["session_id"]: row for row in await stored(database, of)}
    mine, other = found[ours["session_id"]], found[theirs["session_id"]]
    assert mine | {"session_id": None} == other | {"session_id": None}
    assert {name: mine[name] for name in ours} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in ours.items()
    }


async def test_every_row_has_its_own_values(database):
    made = [session(updated_at=NOW + timedelta(milliseconds=n % 3), applied=tuple(range(n % 4))) for n in range(50)]
    await do(database, lambda connection: insert(connection, SESSIONS, made))
    found = {row["session_id"]: row for row in await stored(database, SESSIONS)}
    assert [found[each["session_id"]]["updated_at"] for each in made] == [each["updated_at"] for each in made]
    assert [found[each["session_id"]]["applied"] for each in made] == [list(each["applied"]) for each in made]


async def test_a_time_is_stored_in_utc_whatever_its_offset(database):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))
    await do(database, lambda connection: insert(connection, SESSIONS, [session(updated_at=elsewhere)]))
    assert [row["updated_at"] for row in await stored(database, SESSIONS)] == [NOW]


async def test_an_upsert_replaces_what_bears_the_same_key_and_nothing_else(database):
    first, second = session(), session()
    await do(database, lambda connection: upsert(connection, SESSIONS, [first, second]))
    await do(database, lambda connection: upsert(connection, SESSIONS, [second | {"state": "completed", "held": ()}]))
    found = {row["session_id"]: row for row in await stored(database, SESSIONS)}
    assert (found[first["session_id"]]["state"], found[first["session_id"]]["held"]) == ("created", [3, 4])
    assert (found[second["session_id"]]["state"], found[second["session_id"]]["held"]) == ("completed", [])


async def test_what_is_there_already_is_not_inserted_again(database):
    row = {"uptime_id": 1, "up_since": NOW, "last_tick": NOW}
    later = row | {"last_tick": NOW + timedelta(seconds=1)}
    await do(database, lambda connection: insert_missing(connection, UPTIME, [row]))
    await do(database, lambda connection: insert_missing(connection, UPTIME, [later]))
    assert len(await rows(database, "SELECT * FROM uptime")) == 1


async def test_without_rows_nothing_is_executed(database):
    await do(database, lambda connection: [insert(connection, SESSIONS, []), upsert(connection, SESSIONS, [])])
    await do(database, lambda connection: execute_many(connection, text("this is no SQL"), []))
    assert await stored(database, SESSIONS) == []


async def test_a_row_that_may_not_be_fails_as_ever_and_shows_no_value(database):
    twice = event(token="a token")
    with pytest.raises(IntegrityError) as raised:
        await do(database, lambda connection: insert(connection, EVENTS, [twice, twice]))
    assert "a token" not in str(raised.value)
