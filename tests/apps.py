"""The service in the test's own process: its settings, on a store of the test's own, and a client without a socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

import forge
from databases import migrated
from statekeeper.api import AccessPolicy, Wiring, build
from statekeeper.app import Service
from statekeeper.settings import Settings


def settings_in(directory: Path, *signers: forge.Signer, **changes: Any) -> Settings:
    """Settings to serve with: a store in a file, and the keys of these signers, or of the usual one, in another."""
    keys = directory / "keys.json"
    keys.write_text(json.dumps(forge.jwks(*signers)))
    idnow = {"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(keys)} | changes.pop("idnow", {})
    if "database_url" not in changes:
        changes["database_url"] = migrated(directory / "store.db")
    return Settings(idnow=idnow, **changes)


def bare_app(engine: Any, queries: Any, readiness: Any = dict) -> Any:
    """The HTTP without a door, and with no more behind it than these."""
    return build(Wiring(engine, queries, readiness, (), None, None, None, timedelta(seconds=30), None), AccessPolicy())


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
