"""The audit trail, on both engines: an entry is written once, with its act, and stays as it is."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from databases import rows
from people import ACCOUNT, ANNA, MARTA
from statekeeper.core.acts import Actor, Deed, Via
from statekeeper.core.errors import NotFound
from statekeeper.store import audit, consumers, recorded
from statekeeper.store.audit import Record
from statekeeper.store.consumers import Placement
from statekeeper.store.queries.audit import Audit, AuditFilter
from statekeeper.store.queries.reader import Reader

ENTRY = Record(Deed.ENDPOINT_ENABLE, subject="crm", effect={"was": "disabled"})
FORGERIES = {
    "sqlite": [
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
        "REPLACE INTO audit_entries SELECT * FROM audit_entries",
        "INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries",
        (
            "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE true"
            " ON CONFLICT (entry_id) DO UPDATE SET actor = 'nobody'"
        ),
    ],
    "postgresql": [
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "INSERT INTO audit_entries SELECT * FROM audit_entries ON CONFLICT (entry_id) DO UPDATE SET actor = 'nobody'",
    ],
}


async def test_an_entry_says_who_did_what_when_from_where_and_why(database, run, clock):
    entry_id = await run(lambda c, now: audit.record(c, ANNA, ENTRY, now))
    told = "SELECT entry_id, actor, role, via, origin, act, subject, reason FROM audit_entries"
    assert await rows(database, told) == [
        (entry_id, "anna", "admin", "api", "192.0.2.7", "endpoint.enable", "crm", None)
    ]


async def test_an_entry_has_the_account_at_the_provider_of_whoever_came_by_one(database, run, clock):
    written = [await run(lambda c, now, actor=actor: audit.record(c, actor, ENTRY, now)) for actor in (ANNA, MARTA)]
    found = (await Audit(Reader(database.reader)).page(AuditFilter())).items
    assert [(each.actor, each.account) for each in found] == [("marta", ACCOUNT), ("anna", None)]
    assert audit.shown(MARTA, written[1], ENTRY, clock.now) == found[0]


async def test_ids_grow_from_entry_to_entry(run):
    first, second = [await run(lambda c, now: audit.record(c, ANNA, ENTRY, now)) for _ in range(2)]
    assert first < second


@pytest.mark.parametrize("number", range(5))
async def test_the_database_refuses_to_change_or_to_take_away_what_was_written(database, run, number):
    forgeries = FORGERIES[database.dialect]
    await run(lambda c, now: audit.record(c, ANNA, ENTRY, now))
    before = await rows(database, "SELECT entry_id, actor, act FROM audit_entries")
    with pytest.raises(DBAPIError, match="append-only"):
        await run(lambda c, _now: c.execute(text(forgeries[number % len(forgeries)])))
    assert await rows(database, "SELECT entry_id, actor, act FROM audit_entries") == before


async def test_names_that_are_too_long_are_cut_and_no_reason_to_refuse_an_act(database, run):
    wordy = Actor("n" * 300, "support", Via.CLI, "h" * 300)
    await run(lambda c, now: audit.record(c, wordy, Record(Deed.CONSUMER_REMOVE, subject="s" * 300), now))
    lengths = "SELECT length(actor), length(origin), length(subject) FROM audit_entries"
    assert await rows(database, lengths) == [(255, 255, 255)]


class TestConsumers:
    async def place(self, run, position, **more) -> bool:
        placement = Placement("crm", position, **more)
        return await run(lambda c, now: recorded.place_consumer(c, placement, ANNA, now))

    async def acts(self, database) -> list[str]:
        return [act for (act,) in await rows(database, "SELECT act FROM audit_entries ORDER BY entry_id")]

    async def test_whoever_makes_one_changes_it_or_forgets_it_is_recorded(self, database, run):
        assert await self.place(run, 0)
        assert not await self.place(run, 0, terminal=False)
        assert not await self.place(run, None)
        await run(lambda c, now: recorded.remove_consumer(c, "crm", ANNA, now))
        assert await self.acts(database) == ["consumer.place"] * 3 + ["consumer.remove"]

    async def test_to_acknowledge_is_no_act_and_to_go_back_is_one(self, database, run):
        head = "INSERT INTO feed_heads (feed_id, position, ends) VALUES (1, 9, 9)"
        await run(lambda c, _now: c.execute(text(f"{head} ON CONFLICT (feed_id) DO UPDATE SET position = 9, ends = 9")))
        await self.place(run, 2)
        await self.place(run, 5, expected=2)
        assert len(await self.acts(database)) == 1
        await self.place(run, 3)
        assert len(await self.acts(database)) == 2

    async def test_what_is_refused_is_not_recorded(self, database, run):
        with pytest.raises(NotFound):
            await run(lambda c, now: recorded.remove_consumer(c, "crm", ANNA, now))
        assert await self.acts(database) == []
        assert await run(consumers_of) == []


def consumers_of(connection, now):
    return consumers.shown(connection, now)
