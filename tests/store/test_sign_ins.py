"""Sign-ins as they are kept, on both engines: for how long they are good, and what is written of them."""

from datetime import timedelta

import pytest

from databases import rows
from people import ACCOUNT
from statekeeper.store import sign_ins
from statekeeper.store.sign_ins import Limits, SignIn
from stores import Store

LIMITS = Limits(idle=timedelta(seconds=1800), lifetime=timedelta(seconds=43_200))
MARTA = SignIn("a" * 64, "marta", "support", "oidc", "e" * 64, "c" * 43, ACCOUNT)


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


@pytest.fixture
async def signed_in(store):
    await add(store, MARTA)


async def add(store, sign_in):
    await store.run(lambda c, now: sign_ins.add(c, sign_in, LIMITS, now))


async def find(store, digest=MARTA.digest):
    return await store.run(lambda c, now: sign_ins.find(c, digest, LIMITS, now))


async def see(store):
    await store.run(lambda c, now: sign_ins.touch(c, MARTA.digest, now))


async def test_whoever_has_signed_in_is_found_again(store, signed_in):
    found = await find(store)
    assert (found.sign_in, found.stale) == (MARTA, False)
    assert await find(store, "b" * 64) is None


async def test_whoever_is_not_seen_for_a_while_is_signed_out(store, clock, signed_in):
    clock.advance(1799.999)
    assert (await find(store)).sign_in == MARTA
    clock.advance(0.001)
    assert await find(store) is None


async def test_whoever_is_there_stays_signed_in_however_short_the_timeout_is(store, clock, signed_in):
    brief = Limits(idle=timedelta(seconds=30), lifetime=LIMITS.lifetime)
    for _ in range(20):
        clock.advance(20)
        found = await store.run(lambda c, now: sign_ins.find(c, MARTA.digest, brief, now))
        assert found.stale
        await see(store)


async def test_whoever_is_seen_stays_signed_in_for_the_lifetime_and_no_longer(store, clock, signed_in):
    for _ in range(28):
        clock.advance(1500)
        assert await find(store)
        await see(store)
    clock.advance(1199.999)
    assert await find(store)
    clock.advance(0.001)
    assert await find(store) is None


async def test_it_is_written_once_a_minute_that_somebody_was_seen(store, clock, signed_in):
    clock.advance(59.999)
    assert not (await find(store)).stale
    clock.advance(0.001)
    assert (await find(store)).stale
    await see(store)
    assert not (await find(store)).stale


async def test_nobody_is_seen_earlier_than_he_was(store, clock, signed_in):
    clock.advance(100)
    await see(store)
    clock.advance(-50)
    await see(store)
    clock.advance(50 + 59)
    assert not (await find(store)).stale


async def test_whoever_has_signed_out_is_gone(store, signed_in):
    await store.run(lambda c, _now: sign_ins.remove(c, MARTA.digest))
    await see(store)
    assert await find(store) is None


@pytest.mark.parametrize(("busy", "seconds"), [(False, 1800), (True, 43_200)])
async def test_what_has_ended_is_taken_away_by_the_next_who_signs_in(store, clock, database, signed_in, busy, seconds):
    clock.advance(seconds - 1)
    if busy:
        await see(store)
    await add(store, SignIn("b" * 64, "jan", "reader", "oidc", "f" * 64, "d" * 43))
    assert len(await rows(database, "SELECT digest FROM sign_ins")) == 2
    clock.advance(1)
    await add(store, SignIn("e" * 64, "eva", "reader", "oidc", "f" * 64, "d" * 43))
    assert await rows(database, "SELECT name FROM sign_ins ORDER BY name") == [("eva",), ("jan",)]
