"""The service in the test's own process: its settings, on a store of the test's own, and a client without a socket."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import httpx

import forge
from statekeeper.api import AccessPolicy, Wiring, build
from statekeeper.app import Service
from statekeeper.settings import Settings

PATIENCE: Final = 10


def settings_in(directory: Path, *signers: forge.Signer, **changes: Any) -> Settings:
    """Settings to serve with: a new SQLite file, and the keys of these signers, or of the usual one, in a file."""
    keys = directory / "keys.json"
    keys.write_text(json.dumps(forge.jwks(*signers)))
    idnow = {"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(keys)} | changes.pop("idnow", {})
    return Settings(**{"database_url": f"sqlite:///{directory / 'store.db'}", "idnow": idnow} | changes)


def bare_app(engine: Any, queries: Any, readiness: Any = dict) -> Any:
    """The HTTP without a door, and with no more behind it than these."""
    return build(Wiring(engine, queries, readiness, (), None, None, None), AccessPolicy())


def asking(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://localhost")


@dataclass(frozen=True)
class Reply:
    """What an app answered, byte by byte."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def knock(app: Any, headers: Iterable[tuple[bytes, bytes]], *chunks: bytes, method: str = "POST") -> Reply:
    """Post to the webhook as a server would that passes on whatever comes: any header, any body, in any pieces."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/webhooks/idnow",
        "raw_path": b"/webhooks/idnow",
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    waiting = [
        *({"type": "http.request", "body": each, "more_body": True} for each in chunks),
        {"type": "http.request"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    named = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))


class Listener:
    """A client of server-sent events that reads what an app sends, frame by frame, until either of them leaves.

    async with Listener(app, "/v1/feed/stream", last_event_id="7") as listener:
        assert listener.status == 200
        frame = await listener.frame()      # or b"" at the end
    """

    def __init__(self, app: Any, path: str, query: str = "", last_event_id: str | None = None) -> None:
        said = [] if last_event_id is None else [(b"last-event-id", last_event_id.encode())]
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"localhost"), *said],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._left = asyncio.Event()
        self._asked = False

    async def __aenter__(self) -> Self:
        self._answering = asyncio.create_task(self._app(self._scope, self._receive, self._sent.put))
        start = await self._next()
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def frame(self) -> bytes:
        """What came next."""
        return (await self._next()).get("body", b"")

    async def leave(self) -> None:
        """Close the connection; returns once the app has taken note."""
        self._left.set()
        await asyncio.wait_for(self._answering, PATIENCE)

    async def ended(self) -> bool:
        """Whether the app has ended the answer itself, with nothing more to say."""
        last = await self._next()
        await asyncio.wait_for(asyncio.shield(self._answering), PATIENCE)
        return last.get("body", b"") == b"" and not last.get("more_body", False)

    async def _next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._sent.get(), PATIENCE)

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request"}
        await self._left.wait()
        return {"type": "http.disconnect"}
