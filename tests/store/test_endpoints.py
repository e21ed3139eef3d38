"""Endpoints as rows, on both engines: unique by name, sealed, and counted."""

from dataclasses import replace

import pytest

from databases import rows
from outboxes import KEY, OPTIONS, SEALER, target
from statekeeper.core.errors import CannotBeOpened, NameTaken, NoEncryptionKey, NotFound, TooManyEndpoints
from statekeeper.store import deletion, endpoints
from statekeeper.store.endpoints import Owed
from statekeeper.trust.sealing import Sealer, new_key


async def test_what_was_made_is_read_again_and_nothing_secret_is_in_the_store(database, create, read_all, clock):
    await create()
    (record,) = await read_all()
    assert (record.name, record.options, record.target) == ("crm", OPTIONS, target())
    assert (record.created_at, record.updated_at) == (clock(), clock())
    stored = str(await rows(database, "SELECT * FROM endpoints"))
    assert "hidden" not in stored
    assert "crm.example" not in stored


async def test_a_name_is_unique_by_the_database(create, read_all):
    await create()
    with pytest.raises(NameTaken):
        await create()
    assert len(await read_all()) == 1


async def test_there_are_so_many_and_no_more(create, run, monkeypatch):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
    await create()
    with pytest.raises(TooManyEndpoints):
        await create("mail")
    await run(lambda c, now: deletion.mark(c, "crm", now))
    await create("mail")


async def test_they_come_by_name(create, read_all):
    for name in ("b", "c", "a"):
        await create(name)
    assert [record.name for record in await read_all()] == ["a", "b", "c"]


async def test_without_a_key_nothing_is_written(create, read_all):
    with pytest.raises(NoEncryptionKey):
        await create(sealer=Sealer())
    assert await read_all() == []


async def test_with_the_key_lost_a_record_has_no_target(create, read_all):
    await create()
    (record,) = await read_all(Sealer([new_key()]))
    assert (record.target, record.options) == (None, OPTIONS)
    with pytest.raises(CannotBeOpened):
        record.opened()


async def test_a_target_that_was_moved_to_another_row_does_not_open(database, create, read_all, run):
    await create("crm")
    await create("spy")
    (sealed,) = (await rows(database, "SELECT sealed FROM endpoints WHERE name = 'crm'"))[0]
    await run(lambda c, _now: c.exec_driver_sql(f"UPDATE endpoints SET sealed = '{sealed}' WHERE name = 'spy'"))
    assert [record.target is None for record in await read_all()] == [False, True]


async def test_what_was_sealed_in_another_shape_does_not_open(create, read_all, run):
    await create()
    sealed = SEALER.seal(b'{"name":"crm"}')
    await run(lambda c, _now: c.exec_driver_sql(f"UPDATE endpoints SET sealed = '{sealed}'"))
    assert (await read_all())[0].target is None


async def test_a_change_moves_its_time_even_if_the_clock_stands_still(create, read_all, run):
    await create()
    before = await run(lambda c, _now: endpoints.versions(c))
    changed = replace(target(), url="https://other.example/")
    for rate in (1, 2):
        (record,) = await read_all()
        await run(lambda c, now, was=record, rate=rate: endpoints.save(c, SEALER, was, changed, {"rate": rate}, now))
        after = await run(lambda c, _now: endpoints.versions(c))
        assert after != before
        before = after
    (record,) = await read_all()
    assert (record.options, record.target) == ({"rate": 2}, changed)


async def test_a_change_seals_with_the_newest_key(create, read_all, run):
    await create()
    new = new_key()
    (record,) = await read_all()
    await run(lambda c, now: endpoints.save(c, Sealer([new, KEY]), record, target(), OPTIONS, now))
    (record,) = await read_all(Sealer([new]))
    assert record.target == target()


async def test_what_is_not_there_is_neither_read_nor_removed(run, create, read_all):
    with pytest.raises(NotFound):
        await run(lambda c, _now: endpoints.read_locked(c, SEALER, "crm"))
    with pytest.raises(NotFound):
        await run(lambda c, now: deletion.mark(c, "crm", now))
    await create()
    assert await run(lambda c, _now: endpoints.names(c)) == ["crm"]
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await run(lambda c, _now: endpoints.names(c)) == []
    with pytest.raises(NotFound):
        await run(lambda c, _now: endpoints.read_locked(c, SEALER, "crm"))
    with pytest.raises(NotFound):
        await run(lambda c, now: deletion.mark(c, "crm", now))


async def test_what_is_owed_is_counted_by_subscriber(run, owe):
    await owe((1,), (2,), (3, "crm", "dead"), (4, "crm", "delivered"), (5, "bus", "dead"))
    assert await run(lambda c, _now: endpoints.owed(c)) == {"crm": Owed(2, 1), "bus": Owed(0, 1)}
