"""The service in the test's own process: its settings, on a store of the test's own, and a client without a socket."""

import json
from pathlib import Path
from typing import Any

import httpx

import forge
from statekeeper.app import Service
from statekeeper.settings import Settings


def settings_in(directory: Path, **changes: Any) -> Settings:
    """Settings to serve with: a new SQLite file, and the keys of `forge`."""
    keys = directory / "keys.json"
    keys.write_text(json.dumps(forge.jwks()))
    idnow = {"issuer": forge.ISSUER, "audience": [forge.AUDIENCE], "jwks_file": str(keys)}
    return Settings(**{"database_url": f"sqlite:///{directory / 'store.db'}", "idnow": idnow} | changes)


def asking(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://localhost")
