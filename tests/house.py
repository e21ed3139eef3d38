"""A whole house for people with browsers: the service as a process, a subscriber, and a provider to sign in by.

    with open_house(tmp_path) as house:
        session = house.dead_letter()                   # a session whose end was told to nobody
        house.let_in(page, "support")                   # as if its token had been pasted
        house.crm.heard(session)                        # what the subscriber got of it
    name = house.endpoint()                         # another endpoint there, to act on

Whoever wants something to go wrong says so for a session of their own, so that all tests may live in one house; so does
whoever makes an endpoint, and it is told of no session. A gap stays open until somebody closes it, and a callback is
tried once.
"""

import hashlib
import json
import socket
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import forge
from provider import Provider
from receiver import Answer, BlockingReceiver, Request, receiving
from serving import Serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
TOKENS = {"reader": "token-of-rita", "support": "token-of-sam", "admin": "token-of-ada"}
NAMES = {"reader": "rita", "support": "sam", "admin": "ada"}
SESSIONS = "/console/sessions"
ENDPOINTS = "/console/endpoints"
KEY = "4Vtyx4xPNwF3CkUzQGmzj2h1GLZqBdbYyhe6cVd0Qx4="


class Crm:
    """A subscriber that is told, and answers 503 for the sessions that are in `broken`, with the body given there.

    A test message is of no session: None.
    """

    def __init__(self) -> None:
        self.broken: dict[uuid.UUID | None, bytes] = {}
        self.receiver: BlockingReceiver

    def answer(self, request: Request) -> Answer:
        body = self.broken.get(_session_of(request))
        return Answer() if body is None else Answer(503, body=body)

    def heard(self, session: uuid.UUID) -> list[Request]:
        """All that came of this session, in order."""
        return [each for each in self.receiver.requests if _session_of(each) == session]


class House:
    """The service, whom it tells, and by whom people sign in."""

    def __init__(self, service: Serving, crm: Crm, provider: Provider) -> None:
        self.service, self.crm, self.provider = service, crm, provider
        self.bearer = {"authorization": f"Bearer {TOKENS['admin']}"}

    def tell(self, *events: Mapping[str, Any], **bent: Any) -> None:
        """What IDnow sends."""
        for event in events:
            assert self.service.post(forge.token(event, **bent)).status_code == 200

    def delivered(self) -> uuid.UUID:
        """A session that is completed, and whose end was told."""
        return self._ended("delivered")

    def dead_letter(self, body: bytes = b"full", **events: Any) -> uuid.UUID:
        """A session that is completed, of whose end the subscriber would hear nothing, and would still not."""
        return self._ended("dead", body, **events)

    def gap(self) -> uuid.UUID:
        """A session whose end waits for its beginning."""
        session = uuid.uuid4()
        self.tell(forge.story(session_id=session)[1])
        return session

    def endpoint(self, **options: Any) -> str:
        """An endpoint at the subscriber's that is told of no session; returns its name."""
        made = {"name": f"ledger-{uuid.uuid4().hex[:8]}", "url": self.crm.receiver.url, "transitions": "none"}
        self.service.http.post("/v1/endpoints", json=made | options, headers=self.bearer).raise_for_status()
        return made["name"]

    def callback(self, session: uuid.UUID) -> str:
        return self.history(session)["callbacks"][0]["callbackId"]

    def history(self, session: uuid.UUID) -> Any:
        return self.ask(f"/v1/sessions/{session}/history")

    def audit(self, session: uuid.UUID) -> list[dict[str, Any]]:
        """What people did to this session, newest first."""
        return self.ask(f"/v1/audit?sessionId={session}")["items"]

    def trail(self, endpoint: str) -> list[dict[str, Any]]:
        """What people did to this endpoint, newest first."""
        return self.ask(f"/v1/audit?subject={endpoint}")["items"]

    def ask(self, path: str) -> Any:
        return self.service.http.get(path, headers=self.bearer).raise_for_status().json()

    def let_in(self, page: Page, role: str) -> Page:
        """Sign somebody in without a look at the form; the page is where it was."""
        answer = page.request.post("/console/sign-in", form={"token": TOKENS[role]}, max_redirects=0)
        assert answer.status == 303
        return page

    def _ended(self, status: str, body: bytes | None = None) -> uuid.UUID:
        session = uuid.uuid4()
        if body is not None:
            self.crm.broken[session] = body
        self.tell(*forge.story(session_id=session))
        self.wait_for(session, status)
        return session

    def wait_for(self, session: uuid.UUID, status: str) -> None:
        """Until the callbacks of a session are what they are to become."""
        self.service.wait_until(lambda: {each["status"] for each in self.history(session)["callbacks"]} == {status})


@contextmanager
def open_house(directory: Path, *, crm_name: str = "crm", idle: Iterable[str] = (), **settings: Any) -> Iterator[House]:
    """Start it all; nothing of it stays. `idle` are names of endpoints at the subscriber's that are told nothing."""
    crm, port = Crm(), free_port()
    with Provider() as provider, receiving(otherwise=crm.answer) as crm.receiver:
        oidc = {"issuer": provider.issuer, "client_id": provider.client_id, "client_secret": provider.client_secret}
        given = {
            "port": port,
            "console": {"url": f"http://127.0.0.1:{port}"},
            "oidc": oidc,
            "tokens": [
                {"name": NAMES[role], "sha256": hashlib.sha256(each.encode()).hexdigest(), "role": role}
                for role, each in TOKENS.items()
            ],
            "endpoints": [
                {"name": name, "url": crm.receiver.url, "secrets": [SECRET], "transitions": transitions}
                for name, transitions in ((crm_name, "terminal"), *((name, "none") for name in idle))
            ],
            "ordering": {"gap_timeout": 1e6},
            "delivery": {"schedule": [0], "breaker_failures": 10_000, "allowed_networks": ["127.0.0.0/8"]},
            "encryption_keys": [KEY],
        }
        with Serving(directory, measured=False, **(given | settings)) as service:
            yield House(service, crm, provider)


def free_port() -> int:
    """A port that nobody listens on. The console must know its own beforehand where a provider sends people back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _session_of(request: Request) -> uuid.UUID | None:
    session = json.loads(request.body)["data"].get("sessionId")
    return uuid.UUID(session) if session else None
