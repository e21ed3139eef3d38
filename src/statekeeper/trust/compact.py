"""A compact JWT taken apart, strictly and without believing it (RFC 7515, section 3.1; RFC 7519, section 7.2).

Whatever two readers could read differently is refused, so that what is verified is what is acted upon: an alphabet
that is not base64url's, padding, stray bits after the last byte, text that is not UTF-8, a name twice in one object,
`NaN`. An unpaired surrogate written as an escape is JSON and is let through: the event reader knows what to do with it.
"""

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from statekeeper.core.errors import NotAToken

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Everything else, `+`, `/` and `=` included, becomes a byte that no encoder writes.
_TO_STANDARD: Final = bytes(b"+/"[b"-_".index(c)] if c in b"-_" else c if c in _ALPHABET else 0 for c in range(256))


@dataclass(frozen=True, slots=True)
class Token:
    """A JWT's parts, parsed and NOT verified. A key is asked whether `signature` is its own, over `signing_input`."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signing_input: bytes
    signature: bytes


def read_token(body: bytes) -> Token:
    """Take a request's body apart, surrounding white space trimmed; raises `NotAToken`."""
    compact = body.strip()
    parts = compact.split(b".", 3)
    if len(parts) != 3:  # noqa: PLR2004 -- header, payload, signature
        raise NotAToken("The body is not three parts with a full stop between them.")
    header, payload, signature = map(_decode, parts)
    signing_input = compact[: -len(parts[2]) - 1]
    return Token(
        compact.decode(), _read_part(header, "header"), _read_part(payload, "payload"), signing_input, signature
    )


def read_object(document: bytes) -> dict[str, Any]:
    """Read a JSON object that every reader reads alike (RFC 7493); raises `ValueError`."""
    try:
        value = _DECODER.decode(document.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- a fault of the text, like all others here
    return value


def _read_part(document: bytes, name: str) -> dict[str, Any]:
    try:
        return read_object(document)
    except ValueError:
        # The cause quotes the token, so it is not kept.
        raise NotAToken(f"The {name} is not a JSON object, or one with a name given twice.") from None


def _decode(part: bytes) -> bytes:
    standard = part.translate(_TO_STANDARD) + b"=" * (-len(part) % 4)
    try:
        raw = a2b_base64(standard)
    except Base64Error:
        raw = b""
    if b2a_base64(raw, newline=False) != standard:
        raise NotAToken("The body is not base64url, without padding, between its full stops.")
    return raw


def _no_name_twice(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise ValueError("a name given twice in one object")
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_no_name_twice, parse_constant=_no_constant)
