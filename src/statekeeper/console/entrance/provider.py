"""Signing in by OpenID Connect: the authorization code flow with PKCE, as a confidential client.

The messages are Authlib's; they are sent by a client that is bounded and follows no redirect, and what comes back is
believed by `trust.identity`. Nothing that the provider gives is kept or logged: the code is used once, the ID token is
read once, the access token asks for the claims that the ID token lacks, and all are forgotten.

Sources: OpenID Connect Core 1.0, section 3.1; RFC 6749, section 4.1; RFC 7636; RFC 9207; RP-Initiated Logout 1.0.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import httpx
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from statekeeper.console.entrance.claims import Claims, find_claim
from statekeeper.console.entrance.discovery import Discovery, Metadata, ask, away
from statekeeper.console.entrance.journey import Journey
from statekeeper.core.errors import NotAToken, NotVerified, StatekeeperError
from statekeeper.trust.compact import read_object
from statekeeper.trust.identity import verify_identity
from statekeeper.trust.keys import ALGORITHMS
from statekeeper.trust.sources import KeysNotHad
from statekeeper.trust.verification import WebhookPolicy, doubt_header, read_token

log = structlog.get_logger()


class SignInRefused(StatekeeperError):
    """The provider's answer is none to sign in by. `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The provider's answer cannot be taken: {reason}.")
        self.reason: Final = reason


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by, and where it sends people back to."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    redirect_uri: str


class Provider:
    """One OpenID provider. `close` it in the end."""

    def __init__(
        self,
        client: Client,
        roles_claim: str,
        discovery: Discovery | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client: Final = client
        self._roles_claim: Final = roles_claim
        self._discovery: Final = discovery or Discovery(client.issuer)
        self._policy: Final = WebhookPolicy(client.issuer, frozenset({client.client_id}), tuple(sorted(ALGORITHMS)))
        self._now: Final = now

    async def close(self) -> None:
        await self._discovery.client.aclose()

    async def way_there(self, journey: Journey) -> str:
        """Where the browser goes to sign in; raises `Unavailable`."""
        url: str = prepare_grant_uri(
            (await self._discovery.metadata()).authorization_endpoint,
            client_id=self._client.client_id,
            response_type="code",
            redirect_uri=self._client.redirect_uri,
            scope=" ".join(self._client.scopes),
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
        return url

    async def way_out(self, back: str) -> str | None:
        """Where the browser goes to sign out at the provider as well, if it has such a place; raises `Unavailable`."""
        end = (await self._discovery.metadata()).end_session_endpoint
        if end is None:
            return None
        said = urlencode({"client_id": self._client.client_id, "post_logout_redirect_uri": back})
        return f"{end}{'&' if '?' in end else '?'}{said}"

    async def claims(self, answer: Mapping[str, str], journey: Journey) -> Claims:
        """What the provider says of whoever came back with this answer; raises `SignInRefused` and `Unavailable`.

        That the answer is to this journey has been seen by its `state`.
        """
        metadata = await self._discovery.metadata()
        self._check_answer(answer, metadata)
        tokens = await self._redeem(answer["code"], journey, metadata)
        claims = await self._identify(tokens.get("id_token"), journey.nonce)
        if find_claim(claims, self._roles_claim) is None and metadata.userinfo_endpoint:
            more = await self._ask_more(metadata.userinfo_endpoint, tokens.get("access_token"), claims["sub"])
            return {**more, **claims, self._roles_claim: find_claim(more, self._roles_claim)}
        return claims

    def _check_answer(self, answer: Mapping[str, str], metadata: Metadata) -> None:
        """An answer by another provider may not be taken to this one (the mix-up attack)."""
        by = answer.get("iss", None if metadata.names_itself else self._client.issuer)
        if by != self._client.issuer:
            raise SignInRefused("another issuer")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused("no code")

    async def _redeem(self, code: str, journey: Journey, metadata: Metadata) -> Mapping[str, Any]:
        """The tokens for a code: good once, for whoever has the verifier and the client's secret."""
        uri = self._client.redirect_uri
        body = prepare_token_request("authorization_code", redirect_uri=uri, code=code, code_verifier=journey.verifier)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = self._proof(metadata).prepare("POST", metadata.token_endpoint, headers, body)
        return await self._object(httpx.Request("POST", url, headers=headers, content=body), "no tokens")

    def _proof(self, metadata: Metadata) -> ClientAuth:
        """How the client proves itself; in a header, its name and secret are encoded like a form (RFC 6749, 2.3.1)."""
        client = self._client
        if metadata.secret_in_body:
            return ClientAuth(client.client_id, client.client_secret, "client_secret_post")
        return ClientAuth(quote_plus(client.client_id), quote_plus(client.client_secret), "client_secret_basic")

    async def _identify(self, id_token: object, nonce: str) -> Claims:
        if not isinstance(id_token, str):
            raise SignInRefused("no ID token")
        try:
            token = read_token(id_token.encode(errors="replace"))
            if doubt := doubt_header(token.header, self._policy):
                raise doubt.refusal()
            key = await self._discovery.key_for(token)
            return verify_identity(token, key, self._policy, nonce, self._now())
        except (NotAToken, NotVerified) as error:
            raise SignInRefused(error.reason) from None  # its message speaks of webhooks

    async def _ask_more(self, url: str, access_token: object, subject: str) -> Claims:
        """The claims that an ID token lacks, and nothing of another person (Core, section 5.3.2)."""
        if not isinstance(access_token, str) or not access_token.isascii():
            raise SignInRefused("no access token")
        request = httpx.Request("GET", url, headers={"Authorization": f"Bearer {access_token}"})
        more = await self._object(request, "no claims")
        if more.get("sub") != subject:
            raise SignInRefused("another subject")
        return more

    async def _object(self, request: httpx.Request, otherwise: str) -> Mapping[str, Any]:
        """The JSON object that the provider answers with."""
        try:
            status, text = await ask(self._discovery.client, request)
        except (KeysNotHad, httpx.HTTPError, TimeoutError) as error:
            log.warning("provider_not_had", error=type(error).__name__)
            raise away() from None
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise away()
        try:
            found = read_object(text.encode())
        except ValueError:
            raise SignInRefused(otherwise) from None
        if status != httpx.codes.OK:
            raise SignInRefused(otherwise)
        return found
