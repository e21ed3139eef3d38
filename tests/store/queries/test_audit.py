"""The audit trail as it is asked for: the newest first, by whom, of what, and when."""

from datetime import timedelta

import pytest

from people import ANNA
from statekeeper.core.acts import Actor, Deed, Via
from statekeeper.core.errors import QueryRefused
from statekeeper.store import audit
from statekeeper.store.audit import Record
from statekeeper.store.queries.audit import AuditFilter
from stores import SESSION, number

BOB = Actor("bob", "support", Via.CLI)


@pytest.fixture
async def store(store):
    """Four acts, a second apart."""
    for actor, entry in (
        (ANNA, Record(Deed.ENDPOINT_CREATE, subject="crm", effect={"states": ["completed"]})),
        (BOB, Record(Deed.NOTE, session_id=SESSION, reason="called")),
        (BOB, Record(Deed.RETRY, session_id=SESSION, callback_id=number(7))),
        (ANNA, Record(Deed.NOTE, session_id=number(1), reason="mailed")),
    ):
        store.clock.advance(1)
        await store.run(lambda c, now, actor=actor, entry=entry: audit.record(c, actor, entry, now))
    return store


async def found(store, **wanted) -> list[str]:
    page = await store.queries.audit.page(AuditFilter(**wanted))
    return [f"{each.actor} {each.act}" for each in page.items]


async def test_the_newest_comes_first(store):
    assert await found(store) == ["anna session.note", "bob callback.retry", "bob session.note", "anna endpoint.create"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"actor": "bob"}, 2),
        ({"act": "session.note"}, 2),
        ({"session_id": SESSION}, 2),
        ({"callback_id": number(7)}, 1),
        ({"subject": "crm"}, 1),
        ({"actor": "bob", "act": "session.note"}, 1),
        ({"actor": "nobody"}, 0),
    ],
)
async def test_what_is_asked_for_is_found_and_nothing_else(store, wanted, count):
    assert len(await found(store, **wanted)) == count


async def test_since_is_the_first_moment_and_until_the_one_behind_the_last(store):
    now, second = store.clock(), timedelta(seconds=1)
    assert await found(store, since=now - second) == ["anna session.note", "bob callback.retry"]
    assert await found(store, since=now - second, until=now) == ["bob callback.retry"]


async def test_a_walk_shows_each_entry_once_whatever_is_written_meanwhile(store):
    first = await store.queries.audit.page(AuditFilter(), 3)
    await store.run(lambda c, now: audit.record(c, BOB, Record(Deed.NOTE, session_id=SESSION, reason="new"), now))
    rest = await store.queries.audit.page(AuditFilter(), 3, first.next_cursor)
    assert [each.act for each in rest.items] == ["endpoint.create"]
    assert (rest.next_cursor, rest.items[0].effect) == (None, {"states": ["completed"]})


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (201, None), (1, "x"), (1, ""), (1, "-1"), (1, "9" * 19)])
async def test_a_bad_limit_or_cursor_is_refused(store, limit, cursor):
    with pytest.raises(QueryRefused):
        await store.queries.audit.page(AuditFilter(), limit, cursor)
