"""How an endpoint ends, on both engines: its row goes last, and its name with it."""

from functools import partial
from uuid import UUID

import pytest

from databases import rows
from statekeeper.core.errors import NotYetFree
from statekeeper.core.recovery import Recovery, RecoveryKind
from statekeeper.core.subscribers import Subscriber
from statekeeper.store import deletion, endpoints, recovery
from statekeeper.store.deletion import Buried
from statekeeper.store.subscribers import stored_subscriber


async def test_what_is_deleted_is_wiped_and_is_a_change_to_whoever_looks(database, create, read_all, run, clock):
    await create()
    before = await run(lambda c, _now: endpoints.versions(c))
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await rows(database, "SELECT sealed FROM endpoints") == [("",)]
    assert await run(lambda c, _now: endpoints.versions(c)) != before
    (record,) = await read_all()
    assert (record.target, record.deleted_at) == (None, clock())
    assert await run(lambda c, _now: stored_subscriber(c, "crm")) is None


async def test_a_name_is_free_once_all_have_noticed_and_nothing_is_owed(create, read_all, run, owe, clock, monkeypatch):
    monkeypatch.setattr(deletion, "PORTION", 1)
    await create()
    await owe((1,))
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert [await run(partial(deletion.bury, "crm")) for _ in range(2)] == [Buried(1, more=True), Buried()]
    with pytest.raises(NotYetFree, match="try again in some seconds"):
        await create()
    await owe((2,))
    clock.advance(deletion.NOTICED.total_seconds())
    assert await run(partial(deletion.bury, "crm")) == Buried(1, more=True)
    with pytest.raises(NotYetFree):
        await create()
    assert await run(partial(deletion.bury, "crm")) == Buried()
    assert await read_all() == []
    await create()


async def test_a_recovery_that_was_begun_after_the_deletion_ends_before_the_name_is_free(database, create, run, clock):
    await create()
    await run(lambda c, now: deletion.mark(c, "crm", now))
    late = Recovery(RecoveryKind.RETRY, Subscriber("crm"), clock(), clock())
    await run(lambda c, now: recovery.begin(c, UUID(int=1), late, 0, now))
    clock.advance(deletion.NOTICED.total_seconds())
    await run(partial(deletion.bury, "crm"))
    assert await rows(database, "SELECT count(*) FROM recoveries WHERE finished_at IS NULL") == [(0,)]


async def test_a_deletion_says_how_many_callbacks_wait_and_counts_nobody_elses(create, run, owe):
    await create()
    await owe((1,), (2,), (3, "books"), (4, "crm", "dead"))
    assert await run(lambda c, now: deletion.mark(c, "crm", now)) == 2


async def test_nothing_is_buried_that_is_owed_to_one_who_is_there(create, run, owe):
    await create()
    await owe((1,))
    assert await run(partial(deletion.bury, "crm")) == Buried()
    await run(lambda c, now: deletion.mark(c, "crm", now))
    assert await run(partial(deletion.bury, "crm", after=deletion.NOTICED)) == Buried()
    assert await run(partial(deletion.bury, "crm")) == Buried(1)
