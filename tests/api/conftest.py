"""A whole service behind its HTTP, and a client beside it."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest

import apps
import forge
from databases import migrated
from statekeeper.app import Service
from statekeeper.settings import Settings

TOKENS = {"reader": "token-of-a-reader", "support": "token-of-support", "admin": "token-of-an-admin"}


class Http(httpx.AsyncClient):
    """A client that talks to an app without a network, and posts webhooks."""

    def __init__(self, app: Any, host: str = "localhost:8000", **options: Any) -> None:
        self.app = app
        super().__init__(transport=httpx.ASGITransport(app), base_url=f"http://{host}", **options)

    async def webhook(self, data: Any, **bent: Any) -> httpx.Response:
        return await self.send_token(forge.token(data, **bent))

    async def send_token(self, token: str | bytes, **headers: str) -> httpx.Response:
        return await self.post("/webhooks/idnow", content=token, headers={"content-type": "application/jwt"} | headers)


Serving = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def serving(tmp_path) -> Serving:
    """`async with serving(tokens=…)`: a service with these settings, on SQLite."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(forge.jwks()))

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator[Service]:
        idnow = {"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(keys)}
        settings = Settings(database_url=migrated(tmp_path / "store.db"), idnow=idnow, **changes)
        async with Service(settings).running() as service:
            yield service

    return serve


@pytest.fixture
async def service(serving) -> AsyncIterator[Service]:
    async with serving() as service:
        yield service


@pytest.fixture
async def http(service) -> AsyncIterator[Http]:
    async with Http(service.app) as http:
        yield http


@pytest.fixture
async def bare() -> AsyncIterator[Http]:
    """The HTTP without anything behind it: for what is refused, or told, before that matters."""
    async with Http(apps.bare_app(None, None)) as http:
        yield http


@pytest.fixture
def tokens() -> list[dict[str, str]]:
    return [
        {"name": f"the {role}", "sha256": hashlib.sha256(token.encode()).hexdigest(), "role": role}
        for role, token in TOKENS.items()
    ]


@pytest.fixture
async def guarded(serving, tokens) -> AsyncIterator[Http]:
    """The same with a token for each role, asked by somebody far away."""
    async with serving(tokens=tokens) as service, Http(service.app, "statekeeper.example") as http:
        yield http


@pytest.fixture
def bearer() -> Callable[[str], dict[str, str]]:
    return lambda role: {"authorization": f"Bearer {TOKENS.get(role, role)}"}


@pytest.fixture
def client() -> type[Http]:
    """`async with client(app)`: somebody on this machine who asks an app of the test's own."""
    return Http
