"""A small OpenID provider that really listens, on this machine: it keeps to the protocol, and can be bent.

    with Provider() as provider:                       # provider.issuer, .client_id, .client_secret
        provider.person = {"sub": "1", "roles": ["statekeeper-support"]}

Its keys are its own. It checks what a good one checks: the client and its secret, the redirect URI, the PKCE verifier,
and that a code is used once. A form asks who one is, unless `consents` says that whoever comes is `person` at once.
`redirect_uris` has every address it may send people back to; None trusts the first that comes, for a test whose port is
not known beforehand. `bend` is what it does to an ID token before it is signed, `sign` how it signs: whatever goes
wrong with a provider, or is done by an attacker, is done there. `asked` lists the paths it was asked for, `tokens` all
that it gave out: neither may be found in a log.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import jwt

import forge

Claims = dict[str, Any]
SIGNER = "provider-1"


def rs256(claims: Claims) -> str:
    """How it signs unless it is told otherwise: by the key that its JWK Set has."""
    signer = forge.signer(SIGNER)
    return jwt.encode(claims, signer.private, "RS256", {"kid": signer.kid})


class Provider:
    """A provider with one client."""

    def __init__(self, redirect_uris: frozenset[str] | None = None) -> None:
        self.client_id, self.client_secret = "console", "the client's own:secret+100%"
        self.redirect_uris = redirect_uris
        self.person: Claims = {"sub": "248289761001", "preferred_username": "marta", "roles": ["statekeeper-support"]}
        self.userinfo: Claims = {}
        self.consents = True
        self.bend: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = rs256
        self.keys = [forge.signer(SIGNER).jwk()]
        self.metadata: dict[str, Any] = {}
        self.status = 200
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.sessions_ended: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._bearers: set[str] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone: whoever asks from now on is refused the connection."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def discovery(self) -> dict[str, Any]:
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "logout",
        }
        document = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        document |= {
            "issuer": self.issuer,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        } | self.metadata
        return {name: value for name, value in document.items() if value is not None}

    def complaint(self, asked: dict[str, str]) -> str | None:
        """What is wrong with a request to sign in; nobody is sent anywhere for one that is wrong."""
        if asked.get("client_id") != self.client_id:
            return "unknown client"
        if self.redirect_uris is None:
            self.redirect_uris = frozenset({asked.get("redirect_uri", "")})
        if asked.get("redirect_uri") not in self.redirect_uris:
            return "unknown redirect_uri"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "no code flow of OpenID Connect"
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return "no PKCE by S256"
        return None if asked.get("state") and asked.get("nonce") else "no state or no nonce"

    def code_for(self, asked: dict[str, str]) -> str:
        """The address that the browser is sent back to, with a code that is good once."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        self.tokens.append(code)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, authorization: str, form: dict[str, str]) -> dict[str, Any] | None:
        """The tokens for a code; None where anything is wrong. The code is gone either way."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not self._is_client(authorization, form):
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        if not hmac.compare_digest(challenge, asked["code_challenge"]):
            return None
        bearer = secrets.token_urlsafe(16)
        self._bearers.add(bearer)
        id_token = self.sign(self.bend(self._claims(asked["nonce"])))
        self.tokens += [bearer, id_token]
        return {"access_token": bearer, "token_type": "Bearer", "expires_in": 60, "id_token": id_token}

    def knows(self, authorization: str) -> bool:
        return authorization.removeprefix("Bearer ") in self._bearers

    def _claims(self, nonce: str) -> Claims:
        now = int(time.time())
        registered = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 60, "nonce": nonce}
        return registered | self.person

    def _is_client(self, authorization: str, form: dict[str, str]) -> bool:
        given = f"{form.get('client_id')}:{form.get('client_secret')}"
        if authorization.startswith("Basic "):
            given = unquote_plus(base64.b64decode(authorization.removeprefix("Basic ")).decode())  # RFC 6749, 2.3.1
        return hmac.compare_digest(given, f"{self.client_id}:{self.client_secret}")


_FORM = """<!doctype html><html lang="en"><title>Provider</title><h1>Who are you?</h1>
<form method="post">{hidden}<label>Name <input name="name" value="{name}"></label><button>Sign in</button></form>"""


class _Server(ThreadingHTTPServer):
    """Listens on any port that is free."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider


class _Handler(BaseHTTPRequestHandler):
    """HTTP in and out of the provider that its server is of."""

    server: "_Server"

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        self.server.provider.asked.append(path)
        match path:
            case "/.well-known/openid-configuration":
                self._json(self.server.provider.status, self.server.provider.discovery())
            case "/jwks":
                self._json(self.server.provider.status, {"keys": self.server.provider.keys})
            case "/authorize":
                self._authorize(asked)
            case "/userinfo":
                known = self.server.provider.knows(self.headers.get("authorization", ""))
                self._json(
                    200 if known else 401, {"sub": self.server.provider.person["sub"], **self.server.provider.userinfo}
                )
            case "/logout":
                self.server.provider.sessions_ended.append(asked)
                self._redirect(asked["post_logout_redirect_uri"])
            case _:
                self._json(404, {})

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
        path = urlsplit(self.path).path
        self.server.provider.asked.append(path)
        if path == "/authorize":
            self.server.provider.person = {**self.server.provider.person, "preferred_username": form.pop("name")}
            self._redirect(self.server.provider.code_for(form))
            return
        tokens = self.server.provider.redeem(self.headers.get("authorization", ""), form)
        self._json(*((self.server.provider.status, tokens) if tokens else (400, {"error": "invalid_grant"})))

    def _authorize(self, asked: dict[str, str]) -> None:
        if complaint := self.server.provider.complaint(asked):
            self._json(400, {"error": complaint})
        elif self.server.provider.consents:
            self._redirect(self.server.provider.code_for(asked))
        else:
            hidden = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in asked.items()
            )
            name = html.escape(self.server.provider.person.get("preferred_username", ""))
            self._answer(200, "text/html", _FORM.format(hidden=hidden, name=name).encode())

    def _redirect(self, where: str) -> None:
        self._answer(302, "text/plain", b"", location=where)

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, "application/json", json.dumps(value).encode())

    def _answer(self, status: int, media_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": media_type, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """It says nothing."""
