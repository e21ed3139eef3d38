"""What every answer of the console tells the browser: run, style, show and send nothing but our own, and be no frame.

Nothing inline is allowed, so that what a stranger has put into an event is never more than text. A page is not kept:
after signing out, going back shows nothing. `same-origin` and not `no-referrer`: with the latter a browser says `null`
for the `Origin` of our own forms.
"""

from collections.abc import Mapping
from typing import Final

from litestar.types import Message, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": POLICY.encode(),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_NOT_KEPT: Final = (b"cache-control", b"no-store")


def hardened(send: Send) -> Send:
    """Send with these headers on; `Cache-Control` as well, unless the answer says itself for how long it is good."""

    async def send_hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = [(name, value) for name, value in message["headers"] if name.lower() not in HEADERS]
            kept = any(name.lower() == b"cache-control" for name, _ in said)
            message["headers"] = [*said, *HEADERS.items(), *(() if kept else (_NOT_KEPT,))]
        await send(message)

    return send_hardened
