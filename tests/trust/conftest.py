"""An issuer that answers in memory, and a clock that stands until it is moved."""

import asyncio
import json
from datetime import UTC, datetime

import httpx
import pytest

from forge import AUDIENCE, ISSUER, jwks
from statekeeper.trust.keyring import Clock, Keyring
from statekeeper.trust.sources import RemoteSource, key_source
from statekeeper.trust.verification import WebhookPolicy

JWKS_URL = "https://auth.issuer.test/keys"
START = 1_800_000_000.0


class StandingClock:
    """Time as the test wants it; who sleeps is woken when it has passed."""

    def __init__(self):
        self.time = START
        self.sleepers = []

    async def sleep(self, seconds):
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.time + seconds, woken))
        await woken

    async def pass_by(self, seconds):
        self.time += seconds
        for until, woken in self.sleepers:
            if until <= self.time and not woken.done():
                woken.set_result(None)
        await idle()

    def read(self):
        return self.time

    def datetime(self):
        return datetime.fromtimestamp(self.time, UTC)


class Issuer:
    """Answers by path; `away` makes it unreachable, `gate` holds its answers back, `asked` lists what was asked."""

    def __init__(self):
        self.asked = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.pages = {}
        self.publish(jwks())

    def publish(self, document, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages["/keys"] = httpx.Response(200, content=_encoded(document), headers=named)

    def discover(self, document):
        self.pages["/oidc/.well-known/openid-configuration"] = httpx.Response(200, content=_encoded(document))

    async def answer(self, request):
        self.asked.append(str(request.url))
        await self.gate.wait()
        if self.away:
            raise httpx.ConnectError("away")
        page = self.pages.get(request.url.path, httpx.Response(404))
        return httpx.Response(page.status_code, headers=page.headers, stream=httpx.ByteStream(page.content))

    @property
    def transport(self):
        return httpx.MockTransport(self.answer)


class Memory:
    """A KeySetStore in memory."""

    def __init__(self):
        self.kept = {}
        self.broken = False

    async def load(self, source):
        return self.kept.get(source)

    async def save(self, source, document, fetched_at):
        if self.broken:
            raise OSError("no room")
        self.kept[source] = (document, fetched_at)


def _encoded(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


async def idle():
    """Let every task go as far as it can."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture(name="idle")
def idle_fixture():
    return idle


@pytest.fixture
def policy():
    return WebhookPolicy(ISSUER, frozenset({AUDIENCE}))


@pytest.fixture
def clock():
    return StandingClock()


@pytest.fixture
async def issuer():
    return Issuer()


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
async def open_keyring(issuer, policy, clock, memory):
    """Opens keyrings on the issuer, or on a file; all are closed in the end."""
    opened = []

    def open_(file=None, policy=policy, patience=9.0):
        source = key_source(ISSUER, JWKS_URL, file, issuer.transport)
        opened.append(Keyring(source, policy, memory, Clock(clock.read, clock.read, clock.sleep), patience))
        return opened[-1]

    yield open_
    for keyring in opened:
        await keyring.close()


@pytest.fixture
async def open_source(issuer):
    """Opens remote sources on the issuer; all are closed in the end."""
    opened = []

    def open_(jwks_url=JWKS_URL, issuer_name=ISSUER):
        opened.append(RemoteSource(issuer_name, jwks_url, issuer.transport))
        return opened[-1]

    yield open_
    for source in opened:
        await source.close()
