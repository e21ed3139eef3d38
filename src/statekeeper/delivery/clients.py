"""The HTTP clients that callbacks go out by: one for endpoints that may be on this machine, one for all others.

An endpoint whose entry in the settings names a loopback host goes there: that is the operator's own word. An endpoint
that was made in any other way goes to public addresses and to `delivery.allowed_networks`. The two have a client each,
and with it a pool of connections each, so that none goes by a connection which it could not have opened itself.
"""

import ssl
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_network
from typing import Final

import httpx

from statekeeper.core.addresses import Reach, literal_refusal
from statekeeper.core.loopback import is_loopback
from statekeeper.delivery.endpoints import Endpoint
from statekeeper.delivery.guard import Resolve, Transport, resolve


class Clients:
    """Both clients; `networks` are those that the operator allows besides the public ones."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        allowed = tuple(map(ip_network, networks))
        context = trust_store()
        self.reach: Final = Reach(allowed)
        self._local_reach: Final = Reach(allowed, loopback=True)
        self._guarded: Final = open_client(self.reach, context)
        self._local: Final = open_client(self._local_reach, context)

    def client_for(self, endpoint: Endpoint) -> httpx.AsyncClient:
        return self._local if _is_local(endpoint) else self._guarded

    def refusal(self, endpoint: Endpoint) -> str | None:
        """Why no callback can go there, as far as the URL tells."""
        return literal_refusal(endpoint.url, self._local_reach if _is_local(endpoint) else self.reach)

    async def aclose(self) -> None:
        await self._guarded.aclose()
        await self._local.aclose()


def trust_store() -> ssl.SSLContext:
    """The authorities that httpx brings along; no variable of the environment adds any."""
    return httpx.create_ssl_context(trust_env=False)


def _is_local(endpoint: Endpoint) -> bool:
    return endpoint.trusted and is_loopback(httpx.URL(endpoint.url).host)


def open_client(reach: Reach, context: ssl.SSLContext | None = None, look_up: Resolve = resolve) -> httpx.AsyncClient:
    """A client that follows nothing, obeys no environment, remembers no cookie, and goes no further than `reach`.

    It has no limit of connections, since the slots of each endpoint are one, and a common limit would let an endpoint
    that hangs hold up the others. An idle connection is dropped before a server would drop it.
    """
    return httpx.AsyncClient(
        transport=Transport(reach, context or trust_store(), look_up),
        timeout=None,  # noqa: S113 -- the relay bounds every attempt
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )
