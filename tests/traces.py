"""What an answer or a log must not say: a token, a part of it, or a value from it."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any


def check_silence(said: str, body: str | bytes) -> None:
    """Nothing that came in is said again: no part of the body, and no text or number of what its parts say."""
    text = body.decode("latin-1") if isinstance(body, bytes) else body
    pieces = [piece for piece in re.split(r"[\s.]+", text) if len(piece) > 3]
    for piece in pieces:
        assert piece not in said
        assert piece[:24] not in said or len(piece) < 8
    for value in [value for piece in pieces[:2] for value in values(piece)]:
        assert value not in said


def values(part: str) -> Iterator[str]:
    """The texts and numbers in one part of a token, as far as one can read it; short ones may be words of our own."""
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return
    yield from (value for value in leaves(found) if len(value) > 3 and value.isascii())


def leaves(value: Any) -> Iterator[str]:
    match value:
        case dict():
            yield from (leaf for inner in value.values() for leaf in leaves(inner))
        case list():
            yield from (leaf for inner in value for leaf in leaves(inner))
        case str() | int() | float():
            yield str(value)
