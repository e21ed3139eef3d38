"""What a form of ours sends: `application/x-www-form-urlencoded`, small, each field once."""

import re
from typing import Final
from urllib.parse import parse_qsl

from statekeeper.console.visitor import Asked
from statekeeper.core.errors import TooLarge

LIMIT: Final = 64 * 1024
HOME: Final = "/console/sessions"
_LOCAL: Final = re.compile(r"/console(?:[/?#](?!sign-(?:in|out)\b)[!-\[\]-~]{0,1000})?")  # no control, no backslash


async def read_form(request: Asked) -> dict[str, str]:
    """The fields of the body; raises `TooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            raise TooLarge(LIMIT)
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))


def local_path(given: str | None) -> str:
    """A path of the console to go on to, or its first page for anything else: nobody is led away from here."""
    return given if given and _LOCAL.fullmatch(given) else HOME
