"""The acts of support, on a service that runs: who is woken, who is told, and what is sent."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

import forge
from apps import settings_in
from databases import rows
from people import ANNA
from receiver import Receiver
from statekeeper.app import Service
from statekeeper.core.acts import CloseGap, Note, Resend, Retry
from statekeeper.core.errors import AlreadyDelivered, BodyRefused, NotFound
from statekeeper.watchers import FEED

CREATED, COMPLETED = forge.story(1)
SESSION = UUID(COMPLETED["payload"]["sessionId"])
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"


@pytest.fixture
def serving(tmp_path):
    @asynccontextmanager
    async def serve(**changes):
        settings = settings_in(tmp_path, ordering={"gap_timeout": 3600}, **changes)
        async with Service(settings, lambda: None).running() as service:
            yield service

    return serve


def endpoints(receiver: Receiver) -> list[dict]:
    return [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]


def body(data) -> bytes:
    return forge.token(data).encode()


async def take(service: Service, *events) -> None:
    for each in events:
        await service.engine.receive(body(each))


async def callback(service: Service, status: str, attempts: int) -> UUID:
    """The id of the only callback, once it stands so after so many attempts."""
    async with asyncio.timeout(20):
        while True:
            found = await rows(service.database, "SELECT callback_id, status, attempt FROM callbacks")
            if found and found[0][1:] == (status, attempts):
                return UUID(found[0][0])


async def test_a_retry_makes_a_callback_due_and_wakes_the_relay(serving, tmp_path):
    functions = "from statekeeper import GiveUp, on_terminal\n@on_terminal\ndef gives_up(ended): raise GiveUp\n"
    (tmp_path / "retried.py").write_text(functions)
    async with serving(callbacks=[str(tmp_path / "retried.py")]) as service:
        await take(service, CREATED, COMPLETED)
        key = await callback(service, "dead", 1)
        woken, wake = [], service.acts.wake
        acts = replace(service.acts, wake=lambda: woken.append(wake()))
        assert (await acts.perform(Retry(key), ANNA)).callback_id == key
        assert woken
        assert await callback(service, "dead", 2) == key


async def test_a_callback_that_is_unknown_or_delivered_cannot_be_retried(serving, tmp_path):
    (tmp_path / "delivered.py").write_text("from statekeeper import on_terminal\n@on_terminal\ndef fine(ended): ...\n")
    async with serving(callbacks=[str(tmp_path / "delivered.py")]) as service:
        with pytest.raises(NotFound):
            await service.acts.perform(Retry(uuid4()), ANNA)
        await take(service, CREATED, COMPLETED)
        key = await callback(service, "delivered", 1)
        with pytest.raises(AlreadyDelivered):
            await service.acts.perform(Retry(key), ANNA)


async def test_a_delivered_callback_is_sent_again_with_the_same_id_and_bytes(serving):
    async with Receiver() as receiver, serving(endpoints=endpoints(receiver)) as service:
        await take(service, CREATED, COMPLETED)
        key = await callback(service, "delivered", 1)
        assert (await service.acts.plan(Resend(key))).callbacks[0].url == receiver.url
        await service.acts.perform(Resend(key, "the CRM has lost it"), ANNA)
        first, second = await receiver.wait_for(2)
        assert await callback(service, "delivered", 2) == key
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(key)
    assert first.body == second.body


async def test_whoever_watches_a_session_or_the_feed_is_told_of_a_gap_closed_by_hand(serving):
    async with serving() as service:
        await take(service, COMPLETED)
        watchers = service.engine.watchers
        with watchers.subscribe(SESSION) as session, watchers.subscribe(FEED) as feed:
            await service.acts.perform(CloseGap(SESSION, "lost"), ANNA)
            assert await session.wait(5)
            assert await feed.wait(5)
        assert await rows(service.database, "SELECT state FROM sessions") == [("completed",)]


async def test_whoever_watches_a_session_is_told_of_a_note(serving):
    async with serving() as service:
        await take(service, CREATED)
        with service.engine.watchers.subscribe(SESSION) as watcher:
            await service.acts.perform(Note(SESSION, "called the customer"), ANNA)
            assert await watcher.wait(5)


async def test_what_takes_a_reason_is_planned_without_one_and_not_done(serving):
    async with serving() as service:
        await take(service, COMPLETED)
        assert (await service.acts.plan(CloseGap(SESSION))).gap
        with pytest.raises(BodyRefused, match="reason"):
            await service.acts.perform(CloseGap(SESSION), ANNA)
        assert await rows(service.database, "SELECT count(*) FROM audit_entries") == [(0,)]
