"""What is left of a demo, if it is to be looked at: the store, and settings to serve it with.

The issuer and the receiver of the demo are gone by then. So the service trusts the keys that the issuer had, from a
file, and its endpoints are where `statekeeper listen` can take their place.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from statekeeper.demo import business

LISTENER_PORT: Final = 8400
STORE: Final = "statekeeper.db"
_CONFIG: Final = "statekeeper.toml"
_KEYS: Final = "keys.json"


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What must be known of a demo to serve its store: who signed, for whom, and the secret of its callbacks."""

    issuer: str
    audience: str
    jwks: dict[str, Any]
    secret: str

    def put(self, store: Path, directory: Path) -> Path:
        """Take the store into this directory, in place of an earlier demo's; returns the settings to serve it with."""
        directory.mkdir(parents=True, exist_ok=True)
        for each in directory.glob(f"{STORE}*"):
            each.unlink()
        shutil.copy(store, directory / STORE)
        (directory / _KEYS).write_text(json.dumps(self.jwks), encoding="utf-8")
        config = directory / _CONFIG
        config.write_text(self._settings(directory.resolve()), encoding="utf-8")
        return config

    def _settings(self, directory: Path) -> str:
        """The settings in TOML; its basic strings are JSON's."""
        said = {
            "database_url": f"sqlite:///{directory / STORE}",
            "callbacks": [business.__file__],
            "issuer": self.issuer,
            "audience": [self.audience],
            "jwks_file": str(directory / _KEYS),
            "secrets": [self.secret],
            "crm": f"http://127.0.0.1:{LISTENER_PORT}/",
            "archive": f"http://127.0.0.1:{LISTENER_PORT}/archive",
        }
        return _SETTINGS.format_map({name: json.dumps(value) for name, value in said.items()} | {"secret": self.secret})


_SETTINGS: Final = f"""\
# What a demo has left. Nobody is at its endpoints any more; to take their place:
#   statekeeper listen --port {LISTENER_PORT} --secret {{secret}}
database_url = {{database_url}}
callbacks = {{callbacks}}

[idnow]
issuer = {{issuer}}
audience = {{audience}}
jwks_file = {{jwks_file}}

[[endpoints]]
name = "crm"
url = {{crm}}
secrets = {{secrets}}

[[endpoints]]
name = "archive"
url = {{archive}}
secrets = {{secrets}}
states = ["error"]
"""
