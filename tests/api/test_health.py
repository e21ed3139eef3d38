"""Liveness, readiness, figures."""

import math
from datetime import UTC, datetime

import pytest

import apps
import forge
from statekeeper import metrics
from statekeeper.core.health import State
from statekeeper.store import health
from statekeeper.store.database import Database
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader

WHEN = datetime(2026, 1, 8, tzinfo=UTC)


def sample(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"statekeeper_{name}", labels)


async def test_a_live_process_says_so(http):
    answer = await http.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert answer.headers["cache-control"] == "no-store"


async def test_a_service_that_can_take_webhooks_is_ready(http):
    answer = await http.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"store": True, "keys": True, "tasks": True, "writes": True}}


@pytest.fixture
async def away(tmp_path):
    """The queries of a store that cannot answer."""
    database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    yield Queries(Reader(database.reader))
    await database.close()


async def test_a_service_without_its_store_is_not_ready(service, away, client):
    async with client(apps.bare_app(service.engine, away, lambda: {"keys": True})) as http:
        answer = await http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unready", "checks": {"store": False, "keys": True}}


async def test_a_service_is_not_ready_while_anything_it_needs_is_not(service, client):
    app = apps.bare_app(service.engine, Queries(Reader(service.database.reader)), lambda: {"keys": False})
    async with client(app) as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"store": True, "keys": False})


async def test_a_store_that_takes_too_long_is_none(service, client, monkeypatch):
    async def never(_monitoring):
        await service.engine.watchers._closing.wait()

    monkeypatch.setattr("statekeeper.api.health.PATIENCE", 0.01)
    monkeypatch.setattr("statekeeper.store.queries.monitoring.Monitoring.ping", never)
    monkeypatch.setattr("statekeeper.store.queries.monitoring.Monitoring.gauges", never)
    async with client(service.app) as http:
        assert (await http.get("/health/ready")).json()["checks"]["store"] is False
        assert (await http.get("/metrics")).status_code == 200
    assert math.isnan(sample("held_sessions"))


async def test_figures_are_told_in_the_text_format_of_prometheus(serving, client):
    endpoint = {"name": "crm", "url": "http://127.0.0.1:9/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
    async with serving(endpoints=[endpoint], delivery={"schedule": [3600]}) as service, client(service.app) as http:
        for event in forge.story(1):
            await http.webhook(event)
        await http.webhook(forge.story(2)[1])
        answer = await http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert 'statekeeper_events_total{disposition="held"}' in answer.text
        assert 'statekeeper_pending_callbacks{subscriber="crm"} 1.0' in answer.text
        assert "process_resident_memory_bytes" in answer.text
        assert sample("held_sessions") == 1
        assert sample("oldest_gap_seconds") >= 0
        assert sample("unloaded_callbacks") == 0
        queries = Queries(Reader(service.database.reader))
        async with client(apps.bare_app(service.engine, queries, dict)) as other:
            await other.get("/metrics")
        assert sample("unloaded_callbacks") == 1


async def test_the_state_of_an_endpoints_circuit_is_the_one_of_its_series_that_is_1(serving, client):
    endpoint = {"name": "crm", "url": "http://127.0.0.1:9/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
    async with serving(endpoints=[endpoint]) as service, client(service.app) as http:
        async with service.database.writer.begin() as connection:
            for name in ("crm", "removed"):
                await connection.run_sync(lambda c, name=name: health.disable(c, name, "HTTP 410", WHEN))
        await http.get("/metrics")
        states = {state: sample("endpoint_state", endpoint="crm", state=state) for state in State}
        assert states == {"closed": 0, "open": 0, "half_open": 0, "disabled": 1}
        assert sample("endpoint_state", endpoint="removed", state="disabled") is None


async def test_figures_of_a_store_that_is_away_are_no_numbers(service, away, client):
    metrics.PENDING_CALLBACKS.labels("gone").set(7)
    async with client(apps.bare_app(service.engine, away, dict)) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert math.isnan(sample("oldest_gap_seconds"))
    assert math.isnan(sample("oldest_due_callback_seconds"))
    assert sample("pending_callbacks", subscriber="gone") is None
