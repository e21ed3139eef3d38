"""The service put together: a webhook in, a session, a history and a callback out."""

import asyncio
import json

import httpx
import pytest

import forge
from receiver import Receiver
from statekeeper.app import Service
from statekeeper.settings import Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"


@pytest.fixture
def settings(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(forge.jwks()))

    def make(**changes) -> Settings:
        return Settings(
            database_url=f"sqlite:///{tmp_path / 'store.db'}",
            idnow={"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(keys)},
            **changes,
        )

    return make


def client(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://localhost")


async def post(http: httpx.AsyncClient, data) -> httpx.Response:
    return await http.post("/webhooks/idnow", content=forge.token(data), headers={"content-type": "application/jwt"})


async def test_a_webhook_becomes_a_session_a_history_and_a_callback(settings):
    created, completed = forge.story(1)
    async with Receiver() as receiver:
        endpoints = [{"name": "crm", "url": receiver.url, "secrets": [SECRET]}]
        async with Service(settings(endpoints=endpoints)).running() as service, client(service) as http:
            assert (await post(http, completed)).json()["disposition"] == "held"
            answer = (await post(http, created)).json()
            assert answer["disposition"] == "applied"
            await asyncio.wait_for(receiver.wait_for(1), 5)
            session = (await http.get(f"/v1/sessions/{answer['sessionId']}")).json()
            assert session["state"] == "completed"
            history = (await http.get(f"/v1/sessions/{answer['sessionId']}/history")).json()
            assert [step["trigger"] for step in history["transitions"]] == ["session.created", "session.completed"]
            assert [callback["status"] for callback in history["callbacks"]] in (["pending"], ["delivered"])
            assert (await http.get("/health/ready")).json()["status"] == "ready"
