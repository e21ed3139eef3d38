"""The use cases, with every part real and on a store: receive, keep what is no event, close gaps."""

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

import forge
from apps import settings_in
from databases import rows
from statekeeper import engine as engine_module
from statekeeper.app import Service
from statekeeper.core.errors import NotAnEvent, NotAToken, NotVerified, Unavailable
from statekeeper.metrics import EVENTS, UNFITTING_STATUS
from statekeeper.store import refusals
from statekeeper.store.database import Database

CREATED, COMPLETED = forge.story(1)


@pytest.fixture
def serving(tmp_path):
    """A service that runs, and whose writer gives up on a locked store at once; no task of it may die."""

    @asynccontextmanager
    async def serve(*, gap_timeout: float = 3600, **changes):
        settings = settings_in(tmp_path, ordering={"gap_timeout": gap_timeout}, **changes)
        async with Service(settings, lambda: None).running() as service:
            async with service.database.writer.connect() as connection:
                await connection.exec_driver_sql("PRAGMA busy_timeout=1")
            yield service
            assert service.supervisor.alive

    return serve


@asynccontextmanager
async def locked(service: Service):
    """Somebody else writes to the store, and takes their time."""
    other = Database.open(f"sqlite:///{service.database.path}")
    async with other.writer.begin():
        yield
    await other.close()


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 -- what is waited for gives no sign
            await asyncio.sleep(0)


def body(data, **bent) -> bytes:
    return forge.token(data, **bent).encode()


async def test_a_webhook_is_on_disk_with_its_proof_when_its_receipt_is_given(serving):
    async with serving() as service:
        before = EVENTS.labels("applied")._value.get()
        token = forge.token(CREATED)
        receipt = await service.engine.receive(f" {token}\n".encode())
        assert (receipt.disposition, receipt.state, receipt.sequence) == ("applied", "created", 1)
        ((kept, thumbprint),) = await rows(service.database, "SELECT token, key_thumbprint FROM events")
        assert kept == token
        assert await rows(service.database, "SELECT thumbprint FROM signing_keys") == [(thumbprint,)]
        assert EVENTS.labels("applied")._value.get() == before + 1


@pytest.mark.parametrize(
    ("webhook", "error"),
    [
        (b"no token", NotAToken),
        (body(CREATED, sub="other"), NotVerified),
        (body({**CREATED, "eventName": 1}), NotAnEvent),
    ],
)
async def test_what_is_refused_leaves_no_session(serving, webhook, error):
    async with serving() as service:
        with pytest.raises(error):
            await service.engine.receive(webhook)
        assert await rows(service.database, "SELECT count(*) FROM sessions") == [(0,)]


async def test_what_is_verified_but_no_event_is_kept_for_the_operator_the_newest_thousand(serving, monkeypatch):
    assert refusals.KEPT == 1000
    monkeypatch.setattr(refusals, "KEPT", 2)
    tokens = [forge.token({**CREATED, "eventName": number}) for number in range(4)]
    async with serving() as service:
        for token in tokens:
            with pytest.raises(NotAnEvent):
                await service.engine.receive(token.encode())
        kept = await rows(service.database, "SELECT token, faults FROM refusals ORDER BY refusal_id")
    assert [token for token, _ in kept] == tokens[2:]
    assert "data.eventName" in kept[0][1]


async def test_what_is_no_event_is_refused_for_good_even_if_it_cannot_be_kept(serving):
    async with serving() as service, locked(service):
        with capture_logs() as logs, pytest.raises(NotAnEvent):
            await service.engine.receive(body({**CREATED, "eventName": 1}))
    assert {"event": "refusal_not_kept", "reason": "store", "log_level": "warning"} in logs


async def test_a_status_that_does_not_fit_its_event_is_kept_counted_and_logged(serving):
    unfit = {**CREATED, "payload": {**CREATED["payload"], "sessionStatus": "ABORTED"}}
    unknown = {**unfit, "eventName": "session.paused", "eventSequence": "2", "eventId": str(uuid4())}
    async with serving() as service:
        before = UNFITTING_STATUS._value.get()
        with capture_logs() as logs:
            assert (await service.engine.receive(body(unfit))).disposition == "applied"
            assert (await service.engine.receive(body(unknown))).disposition == "ignored"
        assert await rows(service.database, "SELECT session_status FROM events") == [("ABORTED",)] * 2
    assert UNFITTING_STATUS._value.get() == before + 1
    assert [entry["event_name"] for entry in logs if entry["event"] == "status_does_not_fit"] == ["session.created"]


async def test_with_a_gap_timeout_of_0_nothing_waits_and_the_sender_is_told_so(serving):
    async with serving(gap_timeout=0) as service:
        ended = await service.engine.receive(body(COMPLETED))
        assert (ended.disposition, ended.state) == ("applied", "completed")
        late = await service.engine.receive(body(CREATED))
        assert (late.disposition, late.state) == ("late", "completed")
        again = await service.engine.receive(body(forge.redelivered(COMPLETED)))
        assert (again.disposition, again.state) == ("duplicate", "completed")
        steps = "SELECT cause, event_id FROM transitions ORDER BY ordinal"
        assert await rows(service.database, steps) == [
            ("inferred", CREATED["eventId"]),
            ("event", COMPLETED["eventId"]),
        ]


async def test_gaps_are_closed_by_the_service_itself_and_whoever_waits_is_told(serving):
    async with serving(gap_timeout=0.1) as service:
        session = UUID(COMPLETED["payload"]["sessionId"])
        with capture_logs() as logs, service.engine.watchers.subscribe(session) as watcher:
            assert (await service.engine.receive(body(COMPLETED))).disposition == "held"
            assert await watcher.wait(10)
            assert await watcher.wait(10)
            await until(lambda: "gaps_closed" in [entry["event"] for entry in logs])
        assert await rows(service.database, "SELECT state, contiguous FROM sessions") == [("completed", 0)]
        assert await service.engine.close_gaps() == 0


async def test_the_watch_over_gaps_outlives_a_store_that_is_away_and_finds_out_when_it_is_well(serving, monkeypatch):
    monkeypatch.setattr(engine_module, "LONGEST_TICK", 0.01)
    async with serving() as service:
        with capture_logs() as logs:
            async with locked(service):
                await until(lambda: "gaps_not_swept" in [entry["event"] for entry in logs])
                assert service._readiness() == {"keys": True, "tasks": True, "writes": False}
            await until(lambda: service._readiness()["writes"])
        assert await rows(service.database, "SELECT count(*) FROM key_sets") == [(0,)]


async def test_a_service_that_has_ended_takes_nothing_more(serving):
    async with serving() as service:
        pass
    with pytest.raises(Unavailable, match="stopping"):
        await service.engine.receive(body(CREATED))
