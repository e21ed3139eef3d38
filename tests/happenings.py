"""Sessions that something happened to, and people of a role who look at them.

    async with signed_in(service, "support") as person:
        session = await happen(person, *forge.story(1))      # its webhooks
        await settled(person, session)                       # every callback delivered or dead

What the API says is asked with the token of whoever looks.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import forge
from statekeeper.app import Service
from visits import Person

TOKENS = {"reader": "token-of-a-reader", "support": "token-of-support", "admin": "token-of-an-admin"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
_TAG = re.compile("<[^>]*>")


@asynccontextmanager
async def signed_in(service: Service, role: str) -> AsyncIterator[Person]:
    async with Person(service) as person:
        assert (await person.paste(TOKENS[role])).status_code == 303
        person.headers["authorization"] = f"Bearer {TOKENS[role]}"
        yield person


def endpoint(receiver: Any, name: str = "crm", **options: Any) -> dict[str, Any]:
    return {"name": name, "url": receiver.url, "secrets": [SECRET], **options}


async def happen(person: Person, *events: Any) -> str:
    """Send webhooks; returns the session's id."""
    for event in events:
        answer = await person.post(
            "/webhooks/idnow", content=forge.token(event), headers={"content-type": "application/jwt"}
        )
        assert answer.status_code == 200, answer.text
    return answer.json()["sessionId"]


async def callbacks_of(person: Person, session: str) -> list[dict[str, Any]]:
    return (await person.get(f"/v1/sessions/{session}/history")).json()["callbacks"]


async def settled(person: Person, session: str) -> list[dict[str, Any]]:
    """The session's callbacks, once none of them is on its way any more."""
    async with asyncio.timeout(20):
        while not _are_settled(now := await callbacks_of(person, session)):  # noqa: ASYNC110 -- the relay says nothing
            await asyncio.sleep(0)
    return now


def _are_settled(callbacks: list[dict[str, Any]]) -> bool:
    return all(each["status"] != "pending" for each in callbacks)


def page_of(session: str) -> str:
    return f"/console/sessions/{session}"


async def seen(person: Person, path: str, status: int = 200) -> str:
    """What somebody reads on a page: its text without markup, each run of white space as one space."""
    answer = await person.get(path)
    assert answer.status_code == status, answer.text
    return in_text(answer.text)


def in_text(markup: str) -> str:
    main = markup.partition("<main")[2].partition("</main>")[0] or markup
    return " ".join(unescape(_TAG.sub(" ", main.partition(">")[2])).split())
