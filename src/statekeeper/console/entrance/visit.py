"""One request on its way in: what it proves, and what it is given on its way out.

The body is taken in at most once, bounded, and is there again for the handler.
"""

import hmac
from typing import Any, Final
from urllib.parse import parse_qs

from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.types import Message, Receive, Send

from statekeeper.console.forms import LIMIT
from statekeeper.console.visitor import Asked
from statekeeper.core.errors import TooLarge

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"


class Visit:
    """A request, its path as the router reads it, and the cookie that goes along with the answer, if any."""

    def __init__(self, request: Asked, path: str, receive: Receive) -> None:
        self.request = request
        self.path = path
        self.receive = receive
        self.gift: Cookie | None = None

    async def proves(self, csrf: str) -> bool:
        """Whether the sign-in's secret comes along; compared in constant time."""
        given = self.request.headers.get(CSRF_HEADER) or await self._field()
        return hmac.compare_digest(given.encode(errors="replace"), csrf.encode())

    async def _field(self) -> str:
        if not self.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return ""
        body = await self._take_in()
        return next(iter(parse_qs(body.decode(errors="replace")).get(CSRF_FIELD, ())), "")

    async def _take_in(self) -> bytes:
        """The whole body, or nothing of one that breaks off; raises `TooLarge`."""
        body, original, more = bytearray(), self.receive, True
        while more:
            message = await original()
            if message["type"] != "http.request":
                return b""
            body += message["body"]
            if len(body) > LIMIT:
                raise TooLarge(LIMIT)
            more = message.get("more_body", False)
        taken: list[Any] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Any:  # noqa: ANN401 -- one of ASGI's messages
            return taken.pop() if taken else await original()

        self.receive = again
        return bytes(body)


def giving(cookie: Cookie | None, send: Send) -> Send:
    """Send, with a cookie on top of what the answer has."""
    if cookie is None:
        return send

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = list(message["headers"])  # they may be shared by all answers of their kind
            MutableScopeHeaders.from_message(message).add("Set-Cookie", cookie.to_header(header=""))
        await send(message)

    return send_with_cookie
