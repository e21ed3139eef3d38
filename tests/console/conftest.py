"""The console of a whole service, and whoever visits it."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from apps import settings_in
from databases import Clock
from provider import Provider
from statekeeper.app import Service
from visits import SIGN_IN, URL, Person

TOKENS = {"reader": "token-of-a-reader", "support": "token-of-support", "admin": "token-of-an-admin"}
Serving = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def serving(tmp_path, clock: Clock) -> Serving:
    """`async with serving(tokens=…)`: a service with these settings, whose store has the test's clock."""

    @asynccontextmanager
    async def serve(**changes: Any) -> AsyncIterator[Service]:
        service = Service(settings_in(tmp_path, **changes))
        service.database.clock = clock
        async with service.running():
            yield service

    return serve


@pytest.fixture
def tokens() -> list[dict[str, str]]:
    return [
        {"name": f"the {role}", "sha256": hashlib.sha256(token.encode()).hexdigest(), "role": role}
        for role, token in TOKENS.items()
    ]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(frozenset({f"{URL}{SIGN_IN}/answer"})) as provider:
        yield provider


@pytest.fixture
def by_provider(provider: Provider) -> dict[str, Any]:
    """The settings with which people sign in by that provider."""
    oidc = {"issuer": provider.issuer, "client_id": provider.client_id, "client_secret": provider.client_secret}
    return {"oidc": oidc, "console": {"url": URL}}


@pytest.fixture
async def local(serving) -> AsyncIterator[Person]:
    """Somebody on this machine, where nobody need sign in."""
    async with serving() as service, Person(service, "https://localhost") as person:
        yield person


@pytest.fixture
async def with_tokens(serving, tokens) -> AsyncIterator[Person]:
    """Somebody far away, where tokens are configured."""
    async with serving(tokens=tokens) as service, Person(service) as person:
        yield person


@pytest.fixture
async def with_provider(serving, by_provider) -> AsyncIterator[Person]:
    """Somebody far away, where a provider is."""
    async with serving(**by_provider) as service, Person(service) as person:
        yield person
