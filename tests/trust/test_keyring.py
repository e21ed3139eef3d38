"""When the issuer is asked for its keys, and what holds while it does not answer. Time stands until a test moves it."""

import asyncio
import json
import math
import os

import pytest

from forge import ABSENT, ISSUER, jwks, signer, story, token
from statekeeper.core.errors import NotVerified, SettingsError, Unavailable
from statekeeper.metrics import KEY_FETCHES, REGISTRY
from statekeeper.trust.keyring import Clock, Keyring
from statekeeper.trust.sources import DEADLINE
from statekeeper.trust.verification import read_token

OLD, NEW = signer(), signer("key-2")
KEYS = "https://auth.issuer.test/keys"


@pytest.fixture
def ask(clock):
    """A token of this signer, as read."""

    def ask_(by=OLD, **bent):
        return read_token(token(story()[0], signer=by, now=clock.time, **bent).encode())

    return ask_


@pytest.fixture
async def running(open_keyring, idle):
    """A keyring that has started, with its loop as a task."""
    tasks = []

    async def run(keyring=None):
        keyring = keyring or open_keyring()
        await keyring.start()
        tasks.append(asyncio.create_task(keyring.run()))
        await idle()
        return keyring

    yield run
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def unknown(keyring, asked):
    with pytest.raises(NotVerified) as refused:
        await keyring.key_for(asked)
    return refused.value.reason


async def unavailable(keyring, asked):
    with pytest.raises(Unavailable) as refused:
        await keyring.key_for(asked)
    assert refused.value.reason == "keys"
    return refused.value.retry_after


def fetches(outcome):
    return REGISTRY.get_sample_value("statekeeper_key_fetches_total", {"outcome": outcome}) or 0


# At hand


async def test_a_key_at_hand_is_given_at_once(running, issuer, ask):
    keyring = await running()
    finding = keyring.key_for(ask())
    with pytest.raises(StopIteration) as given:
        finding.send(None)
    assert given.value.value.kid == "key-1"
    assert issuer.asked == [KEYS]


async def test_a_keyring_is_ready_once_it_has_had_keys(running, open_keyring, issuer, clock):
    issuer.away = True
    keyring = open_keyring()
    assert not keyring.ready
    await running(keyring)
    assert not keyring.ready
    issuer.away = False
    await clock.pass_by(10)
    assert keyring.ready
    issuer.away = True
    await clock.pass_by(100_000)
    assert keyring.ready


async def test_a_set_without_a_usable_key_makes_no_keyring_ready(running, issuer):
    issuer.publish({"keys": [OLD.jwk(use="enc")]})
    assert not (await running()).ready


# On schedule


async def test_the_set_is_fetched_again_every_300_seconds(running, issuer, clock):
    await running()
    for times in (2, 3):
        await clock.pass_by(299.9)
        assert len(issuer.asked) == times - 1
        await clock.pass_by(0.1)
        assert len(issuer.asked) == times


@pytest.mark.parametrize(
    ("cache_control", "seconds"), [("max-age=1", 60), ("max-age=900", 900), ("max-age=9999", 3600)]
)
async def test_or_as_its_cache_control_says_within_bounds(running, issuer, clock, cache_control, seconds):
    issuer.publish(jwks(), cache_control=cache_control)
    await running()
    await clock.pass_by(seconds - 0.1)
    assert len(issuer.asked) == 1
    await clock.pass_by(0.1)
    assert len(issuer.asked) == 2


async def test_a_withdrawn_key_stops_verifying(running, issuer, clock, ask):
    issuer.publish(jwks(OLD, NEW))
    keyring = await running()
    assert (await keyring.key_for(ask(NEW))).kid == "key-2"
    issuer.publish(jwks(OLD))
    await clock.pass_by(300)
    assert (await keyring.key_for(ask(OLD))).kid == "key-1"
    await clock.pass_by(10)
    assert await unknown(keyring, ask(NEW)) == "unknown_key"


async def test_an_empty_set_withdraws_every_key(running, issuer, clock, ask):
    keyring = await running()
    issuer.publish({"keys": []})
    await clock.pass_by(300)
    await clock.pass_by(10)
    assert await unknown(keyring, ask()) == "unknown_key"
    assert not keyring.ready


async def test_new_key_material_under_an_old_name_takes_its_place(running, issuer, clock, ask):
    keyring = await running()
    issuer.publish({"keys": [NEW.jwk(kid="key-1")]})
    await clock.pass_by(300)
    renewed = ask(NEW, header={"kid": "key-1"})
    assert (await keyring.key_for(renewed)).verifies(renewed)
    assert not (await keyring.key_for(ask(OLD))).verifies(ask(OLD))


async def test_the_same_document_gives_the_same_keys(running, clock, ask):
    keyring = await running()
    before = await keyring.key_for(ask())
    await clock.pass_by(300)
    assert await keyring.key_for(ask()) is before


# While the issuer is away


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b'{"keys":5}', b"\xff", b" " * 2_000_000])
async def test_while_the_issuer_answers_nonsense_the_last_set_stays_good(running, issuer, clock, ask, document):
    keyring = await running()
    issuer.publish(document)
    await clock.pass_by(300)
    assert len(issuer.asked) == 2
    assert (await keyring.key_for(ask())).kid == "key-1"


async def test_while_the_issuer_is_away_the_last_set_stays_good_for_days(running, issuer, clock, ask):
    keyring = await running()
    issuer.away = True
    for _ in range(20):
        await clock.pass_by(86_400)
    assert (await keyring.key_for(ask())).kid == "key-1"


async def test_an_issuer_that_is_away_is_asked_every_10_seconds(running, issuer, clock):
    keyring = await running()
    issuer.away = True
    await clock.pass_by(300)
    for _ in range(3):
        await clock.pass_by(10)
    assert len(issuer.asked) == 5
    issuer.away = False
    await clock.pass_by(10)
    await clock.pass_by(299)
    assert len(issuer.asked) == 6
    assert keyring.ready


async def test_fetches_are_counted_by_outcome(running, issuer, clock):
    KEY_FETCHES.labels("ok")
    ok, failed = fetches("ok"), fetches("failed")
    await running()
    issuer.away = True
    await clock.pass_by(300)
    assert (fetches("ok") - ok, fetches("failed") - failed) == (1, 1)


async def test_without_any_keys_a_token_is_answered_with_when_to_come_again(running, issuer, clock, ask):
    issuer.away = True
    keyring = await running()
    assert await unavailable(keyring, ask()) == 10
    await clock.pass_by(3)
    assert await unavailable(keyring, ask()) == 7


async def test_without_any_keys_a_hopeless_token_is_still_refused_as_such(running, issuer, ask):
    issuer.away = True
    keyring = await running()
    assert await unknown(keyring, ask(iss="https://evil.test")) == "issuer"
    assert await unknown(keyring, ask(header={"alg": "none"})) == "algorithm"
    assert len(issuer.asked) == 1


async def test_the_first_token_of_a_keyring_without_keys_fetches_them(open_keyring, issuer, ask):
    keyring = open_keyring()
    assert (await keyring.key_for(ask(header={"kid": ABSENT}))).kid == "key-1"
    assert len(issuer.asked) == 1


# An unknown name


async def test_an_unknown_name_makes_one_fetch_for_all_that_wait(running, issuer, clock, ask, idle):
    keyring = await running()
    await clock.pass_by(10)
    issuer.publish(jwks(OLD, NEW))
    issuer.gate.clear()
    waiting = [asyncio.create_task(keyring.key_for(ask(NEW))) for _ in range(100)]
    await idle()
    assert len(issuer.asked) == 2
    issuer.gate.set()
    assert {key.kid for key in await asyncio.gather(*waiting)} == {"key-2"}
    assert len(issuer.asked) == 2


async def test_a_name_that_is_still_unknown_is_refused(running, clock, ask, issuer):
    keyring = await running()
    await clock.pass_by(10)
    assert await unknown(keyring, ask(NEW)) == "unknown_key"
    assert len(issuer.asked) == 2


async def test_an_issuer_asked_less_than_4_seconds_ago_is_not_asked_again_soon(running, issuer, clock, ask):
    keyring = await running()
    assert await unavailable(keyring, ask(NEW)) == 10
    await clock.pass_by(3.9)
    assert await unavailable(keyring, ask(NEW)) == 7
    assert len(issuer.asked) == 1


@pytest.mark.parametrize("ago", [4, 7, 9.9])
async def test_a_name_waits_for_the_next_fetch_if_it_is_at_most_6_seconds_away(running, issuer, clock, ask, idle, ago):
    keyring = await running()
    await clock.pass_by(ago)
    issuer.publish(jwks(OLD, NEW))
    waiting = [asyncio.create_task(keyring.key_for(ask(NEW))) for _ in range(100)]
    await idle()
    assert len(issuer.asked) == 1
    assert (await keyring.key_for(ask(OLD))).kid == "key-1"
    await clock.pass_by(10 - ago - 0.05)
    assert len(issuer.asked) == 1
    await clock.pass_by(0.06)
    assert {key.kid for key in await asyncio.gather(*waiting)} == {"key-2"}
    assert len(issuer.asked) == 2


async def test_every_fetch_starts_a_new_cool_down(running, clock, ask, issuer):
    keyring = await running()
    for asked in (2, 3, 4):
        await clock.pass_by(10)
        assert await unknown(keyring, ask(NEW)) == "unknown_key"
        assert await unavailable(keyring, ask(NEW)) == 10
        assert len(issuer.asked) == asked


async def test_a_name_that_cannot_be_asked_about_is_unavailable_not_unknown(running, issuer, clock, ask):
    keyring = await running()
    await clock.pass_by(10)
    issuer.away = True
    assert await unavailable(keyring, ask(NEW)) == 10
    assert (await keyring.key_for(ask(OLD))).kid == "key-1"


async def test_a_fetch_for_an_unknown_name_puts_off_the_scheduled_one(running, issuer, clock, ask):
    keyring = await running()
    await clock.pass_by(200)
    await unknown(keyring, ask(NEW))
    await clock.pass_by(100)
    assert len(issuer.asked) == 2
    await clock.pass_by(200)
    assert len(issuer.asked) == 3


async def test_a_waiter_that_goes_away_takes_nothing_with_it(running, issuer, clock, ask, idle):
    keyring = await running()
    await clock.pass_by(10)
    issuer.publish(jwks(NEW))
    issuer.gate.clear()
    first, second = (asyncio.create_task(keyring.key_for(ask(NEW))) for _ in range(2))
    await idle()
    first.cancel()
    await idle()
    assert first.cancelled()
    issuer.gate.set()
    assert (await second).kid == "key-2"


async def test_a_fetch_goes_on_though_all_its_waiters_went_away(running, issuer, clock, ask, idle):
    keyring = await running()
    await clock.pass_by(10)
    issuer.publish(jwks(NEW))
    issuer.gate.clear()
    waiting = asyncio.create_task(keyring.key_for(ask(NEW)))
    await idle()
    waiting.cancel()
    await idle()
    issuer.gate.set()
    await idle()
    assert (await keyring.key_for(ask(NEW))).kid == "key-2"


async def test_a_waiter_is_answered_before_its_sender_gives_up(open_keyring, issuer, ask):
    keyring = open_keyring(patience=0.01)
    issuer.gate.clear()
    async with asyncio.timeout(DEADLINE / 2):
        assert await unavailable(keyring, ask()) == 10


async def test_invented_names_leave_no_trace(running, clock, ask):
    keyring = await running()
    await clock.pass_by(10)
    before = {name: value for name, value in vars(keyring).items() if name not in {"_asked_at", "_due_at"}}
    for n in range(50):
        with pytest.raises((NotVerified, Unavailable)):
            await keyring.key_for(ask(NEW, header={"kid": f"invented-{n}"}))
    assert {name: vars(keyring)[name] for name in before} == before


# After a restart


async def test_after_a_restart_the_last_set_is_good_before_the_issuer_is_asked(open_keyring, running, issuer, ask):
    await running()
    restarted = open_keyring()
    await restarted.start()
    assert restarted.ready
    assert (await restarted.key_for(ask())).kid == "key-1"
    assert len(issuer.asked) == 1


async def test_after_a_restart_the_last_set_is_good_for_24_hours_from_its_fetch(
    open_keyring, running, issuer, ask, clock, memory
):
    await running()
    assert memory.kept[KEYS][1] == clock.datetime()
    issuer.away = True
    await clock.pass_by(86_399)
    restarted = await running(open_keyring())
    assert (await restarted.key_for(ask())).kid == "key-1"
    await clock.pass_by(1)
    assert not restarted.ready
    assert await unavailable(restarted, ask()) == 9


async def test_a_set_older_than_24_hours_is_not_taken_from_before_a_restart(open_keyring, running, issuer, ask, clock):
    await running()
    issuer.away = True
    await clock.pass_by(86_401)
    restarted = await running(open_keyring())
    assert not restarted.ready
    assert await unavailable(restarted, ask()) == 10


async def test_once_the_issuer_has_answered_a_restart_no_longer_matters(open_keyring, running, issuer, ask, clock):
    await running()
    restarted = await running(open_keyring())
    issuer.away = True
    await clock.pass_by(200_000)
    assert (await restarted.key_for(ask())).kid == "key-1"


async def test_a_withdrawal_outlives_a_restart(open_keyring, running, issuer, clock, ask):
    issuer.publish(jwks(OLD, NEW))
    await running()
    issuer.publish(jwks(OLD))
    await clock.pass_by(300)
    issuer.away = True
    restarted = await running(open_keyring())
    assert (await restarted.key_for(ask(OLD))).kid == "key-1"
    assert await unavailable(restarted, ask(NEW)) == 10


async def test_a_kept_document_that_is_no_set_is_passed_over(open_keyring, memory, clock, ask):
    memory.kept[KEYS] = ("<html>", clock.datetime())
    keyring = open_keyring()
    await keyring.start()
    assert not keyring.ready
    assert (await keyring.key_for(ask())).kid == "key-1"


async def test_another_sources_set_is_not_taken(open_keyring, memory, clock):
    memory.kept["https://other.test/keys"] = (json.dumps(jwks()), clock.datetime())
    keyring = open_keyring()
    await keyring.start()
    assert not keyring.ready


async def test_a_store_that_keeps_nothing_does_not_keep_keys_from_verifying(running, memory, ask):
    memory.broken = True
    keyring = await running()
    assert (await keyring.key_for(ask())).kid == "key-1"
    assert memory.kept == {}


async def test_a_keyring_without_a_store_starts_empty(open_keyring, memory, running, issuer):
    keyring = open_keyring()
    keyring = Keyring(keyring._source, keyring._policy)
    await keyring.start()
    assert not keyring.ready
    assert issuer.asked == []


# From a file


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(jwks(OLD)))
    return path


async def test_a_file_is_there_at_the_start_and_the_issuer_is_never_asked(open_keyring, file, ask, issuer, memory):
    keyring = open_keyring(file)
    await keyring.start()
    assert keyring.ready
    assert (await keyring.key_for(ask())).kid == "key-1"
    assert await unknown(keyring, ask(NEW)) == "unknown_key"
    assert issuer.asked == []
    assert memory.kept == {}


async def test_a_file_is_read_again_on_an_unknown_name_at_once(open_keyring, file, ask):
    keyring = open_keyring(file)
    await keyring.start()
    assert await unknown(keyring, ask(NEW)) == "unknown_key"
    file.write_text(json.dumps(jwks(NEW)))
    assert (await keyring.key_for(ask(NEW))).kid == "key-2"
    assert await unknown(keyring, ask(OLD)) == "unknown_key"


async def test_a_hopeless_token_does_not_make_it_read_the_file(open_keyring, file, ask):
    keyring = open_keyring(file)
    await keyring.start()
    file.write_text(json.dumps(jwks(NEW)))
    assert await unknown(keyring, ask(NEW, iss="https://evil.test")) == "issuer"
    assert (await keyring.key_for(ask(OLD))).kid == "key-1"


async def test_a_file_that_is_gone_later_leaves_its_last_set_good(open_keyring, file, ask):
    keyring = open_keyring(file)
    await keyring.start()
    file.unlink()
    assert await unavailable(keyring, ask(NEW)) == 1
    assert (await keyring.key_for(ask(OLD))).kid == "key-1"


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff", b'{"keys":[],"keys":[]}'])
async def test_a_file_that_is_no_key_set_stops_the_start(open_keyring, file, content):
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        await open_keyring(file).start()
    (fault,) = refused.value.faults
    assert fault.field == "idnow.jwks_file"
    assert str(file) in fault.detail
    assert os.linesep not in fault.detail


# The end


async def test_closing_drops_what_is_in_flight(open_keyring, issuer, ask, idle):
    keyring = open_keyring()
    issuer.gate.clear()
    waiting = asyncio.create_task(keyring.key_for(ask()))
    await idle()
    async with asyncio.timeout(DEADLINE / 2):
        await keyring.close()
    with pytest.raises(Unavailable):
        await waiting


async def test_by_default_time_is_the_machines():
    clock = Clock()
    assert math.isclose(clock.now(), clock.now(), abs_tol=60)
    assert clock.monotonic() <= clock.monotonic()
    await clock.sleep(0)


async def test_only_what_the_issuer_signs_is_asked_about(running, issuer, clock, ask):
    keyring = await running()
    await clock.pass_by(10)
    assert await unknown(keyring, ask(NEW, exp=clock.time - 60)) == "expired"
    assert await unknown(keyring, ask(NEW, aud=f"{ISSUER}/other")) == "audience"
    assert len(issuer.asked) == 1
