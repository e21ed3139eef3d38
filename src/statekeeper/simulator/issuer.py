"""The issuer: signs webhooks as the provider does, and publishes its keys (OpenID Connect Discovery 1.0, RFC 7517).

`serve_issuer` listens on loopback for the two documents; where it listens is the `iss` of its tokens, so that a service
is pointed at it by `idnow.issuer` alone, or by the file of its key set. A rotation signs by a new key from then on and
leaves the old one in the set, as tokens signed before it are still on their way; `withdraw` takes it out.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

from statekeeper.simulator.listener import Reply, Request, bind, listen

DISCOVERY: Final = "/.well-known/openid-configuration"
JWKS: Final = "/.well-known/jwks.json"
LIFETIME: Final = 3600
"""Seconds from `iat` to `exp`, as in the provider's example."""

_MAX_AGE: Final = 300


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A signing key; its `kid` is its thumbprint (RFC 7638), so that no two runs share one."""

    private: rsa.RSAPrivateKey
    kid: str

    @classmethod
    def generate(cls) -> "RsaKey":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        members = {name: value for name, value in _public(private).items() if name in {"e", "kty", "n"}}
        canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
        return cls(private, base64url_encode(sha256(canonical.encode()).digest()).decode())

    def jwk(self) -> dict[str, Any]:
        public = _public(self.private)
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "n": public["n"], "e": public["e"]}


def _public(private: rsa.RSAPrivateKey) -> dict[str, Any]:
    return RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)


class Issuer:
    """Signs by the newest of its keys and publishes all of them; `fetches` counts what was asked of it."""

    def __init__(self, address: str, *, name: str | None = None, path: Path | None = None) -> None:
        self.address: Final = address
        self.url: Final = name or address
        self.fetches = 0
        self._path: Final = path
        self._keys = [RsaKey.generate()]
        self._publish()

    @property
    def key(self) -> RsaKey:
        return self._keys[-1]

    def claims(self, data: Mapping[str, Any], audience: str, now: float) -> dict[str, Any]:
        """The claims around an event's `data`, issued now."""
        issued = int(now)
        times = {"iat": issued, "exp": issued + LIFETIME}
        return {"data": data, "iss": self.url, **times, "sub": data["eventId"], "aud": audience}

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.key.private, algorithm="RS256", headers={"kid": self.key.kid})

    def rotate(self) -> None:
        """Sign by a new key from now on. It takes a tenth of a second: such keys are slow to make."""
        self._keys.append(RsaKey.generate())
        self._publish()

    def withdraw(self) -> None:
        """Stop publishing every key but the newest."""
        del self._keys[:-1]
        self._publish()

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk() for key in self._keys]}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": self.address + JWKS,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def answer(self, request: Request) -> Reply:
        """What is published under the path that is asked for."""
        publish = {DISCOVERY: self.discovery, JWKS: self.jwks}.get(request.path)
        if request.method != "GET" or publish is None:
            return Reply(HTTPStatus.METHOD_NOT_ALLOWED if request.method != "GET" else HTTPStatus.NOT_FOUND)
        self.fetches += 1
        return Reply(document=publish(), headers={"Cache-Control": f"max-age={_MAX_AGE}"})

    def _publish(self) -> None:
        """Replace the file of the key set in one move: whoever reads it sees the old set or the new one."""
        if self._path:
            fresh = self._path.with_name(self._path.name + ".new")
            fresh.write_text(json.dumps(self.jwks(), indent=2) + "\n", encoding="utf-8")
            fresh.replace(self._path)


@asynccontextmanager
async def serve_issuer(port: int = 0, *, name: str | None = None, path: Path | None = None) -> AsyncIterator[Issuer]:
    """An issuer that listens on 127.0.0.1 until the block is left; `OSError` if the port or the file is not to be had.

    `name` is its `iss` where that is not the address it listens at; `path` is a file for its key set.
    """
    with bind(port) as (bound, address):
        issuer = await asyncio.to_thread(Issuer, address, name=name, path=path)
        async with listen(bound, issuer.answer):
            yield issuer
