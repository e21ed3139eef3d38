"""Somebody with a browser who visits the console, as far as HTTP goes: cookies are kept, and no redirect is followed.

    async with visiting(service) as person:                    # at https://console.example
        await person.sign_in_by_provider()                     # there and back again
        await person.act("/console/sign-out")                  # a form of ours, with the secret of the sign-in in it

The way to the provider is gone over real sockets; the console is asked without one.
"""

import re
import ssl
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

import forge
from statekeeper.app import Service

URL = "https://console.example"
SIGN_IN = "/console/sign-in"
COOKIE = "__Host-statekeeper"
ON_THE_WAY = "__Host-statekeeper-sign-in"
_CSRF = re.compile('name="csrf" value="([^"]+)"')


class Person(httpx.AsyncClient):
    """A browser, with an eye for what is on a page."""

    def __init__(self, service: Service, url: str = URL, **options: Any) -> None:
        self.service = service
        super().__init__(transport=httpx.ASGITransport(service.app), base_url=url, **options)

    async def webhook(self, data: Any) -> httpx.Response:
        """What the provider sends, meanwhile."""
        return await self.post("/webhooks/idnow", content=forge.token(data))

    async def csrf(self) -> str:
        """What a form on any page of ours would send; empty where nobody is signed in."""
        found = _CSRF.search((await self.get("/console/nothing")).text)
        return found[1] if found else ""

    async def is_in(self) -> bool:
        """Whether pages are shown; one that there is none of tells as well."""
        return (await self.get("/console/nothing")).status_code == 404

    async def act(self, path: str, **fields: str) -> httpx.Response:
        return await self.post(path, data={"csrf": await self.csrf(), **fields}, headers={"origin": URL})

    async def paste(self, token: str, **fields: str) -> httpx.Response:
        return await self.post(SIGN_IN, data={"token": token, **fields}, headers={"origin": URL})

    async def sign_in_by_provider(self, goal: str = "/console/overview") -> httpx.Response:
        """What the console answers in the end."""
        return await self.get(await self.way_back(goal))

    async def way_back(self, goal: str = "/console/overview") -> str:
        """Where the provider sends the browser, once it has been told who that is."""
        answer = await self.get(f"{SIGN_IN}/provider", params={"next": goal})
        assert answer.status_code == 303, answer.text
        return go_there(answer.headers["location"])


def go_there(there: str) -> str:
    """Ask the provider, and read where it sends the browser to."""
    with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
        answer = browser.get(there)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
