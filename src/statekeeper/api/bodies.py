"""Bodies in: bounded in size, declared as JSON, and taken strictly into a struct of the handler's own.

No more of a body is taken in than it may have: a length that is declared too large is refused unread, and one that is
not declared as soon as it is exceeded. A member that the struct does not have is refused by its name, since one that is
misspelt and ignored would look like one that was heard. What is refused is named by its field and never by its value.
"""

import re
from typing import Any, Final, TypeVar, cast

import msgspec
from litestar import Request
from litestar.types import HTTPDisconnectEvent, HTTPRequestEvent, Receive

from statekeeper.core.errors import BodyRefused, Fault, NotJson, TooLarge, UnsupportedMediaType

LIMIT: Final = 64 * 1024
NO_JSON: Final = "The Content-Type of this body is application/json, without a Content-Encoding."
_MEDIA_TYPES: Final = frozenset({b"application/json", b"application/merge-patch+json"})
_PLAIN: Final = frozenset({b"identity", b""})
_AT: Final = re.compile(r"(?P<said>.*?)(?: - at `\$\.?(?P<place>.*)`)?", re.DOTALL)
_MEMBER: Final = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_SAID: Final = {"missing required": "is missing", "contains unknown": "is no member of this"}
_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE: Final = re.compile(rf"\b(?:{'|'.join(_TYPES)})\b")
_VALUE: Final = re.compile(r" '.*'", re.DOTALL)

Headers = list[tuple[bytes, bytes]]
S = TypeVar("S", bound=msgspec.Struct)


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The base of what comes in."""


async def read_json(request: Request[Any, Any, Any], kind: type[S], default: S | None = None) -> S:
    """The body as a struct, or `default` if there is none.

    Raises `TooLarge`, `UnsupportedMediaType`, `NotJson` or `BodyRefused`.
    """
    headers = list(request.scope["headers"])
    body = await read_body(headers, request.receive)
    if body == b"" and default is not None:
        return default
    types = [value.split(b";", 1)[0].strip().lower() for value in values(headers, b"content-type")]
    if not types or not _MEDIA_TYPES.issuperset(types) or is_encoded(headers):
        raise UnsupportedMediaType(NO_JSON)
    return decode(body or b"", kind)


def decode(body: bytes, kind: type[S]) -> S:
    """As `read_json`, of bytes that have been read."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BodyRefused((_fault(str(error)),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJson from None


async def read_body(headers: Headers, receive: Receive) -> bytes | None:
    """The body, or None if the sender went away before its end; raises `TooLarge`."""
    if any(int(length[:20]) > LIMIT for length in values(headers, b"content-length") if length.isdigit()):
        raise TooLarge(LIMIT)
    body = bytearray()
    while True:
        message = cast("HTTPRequestEvent | HTTPDisconnectEvent", await receive())
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > LIMIT:
            raise TooLarge(LIMIT)
        if not message.get("more_body", False):
            return bytes(body)


def is_encoded(headers: Headers) -> bool:
    codings = (each for value in values(headers, b"content-encoding") for each in value.split(b","))
    return not all(each.strip().lower() in _PLAIN for each in codings)


def values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _fault(message: str) -> Fault:
    """What msgspec says of a body, by its field, in JSON's names of types, without the value that it may repeat."""
    parts = _AT.fullmatch(message)
    said, place = (parts["said"], parts["place"] or "") if parts else (message, "")
    if member := _MEMBER.fullmatch(said):
        return Fault(".".join(filter(None, (place, member["name"]))), _SAID[member["what"]])
    in_json = _TYPE.sub(lambda name: _TYPES[name[0]], _VALUE.sub("", said))
    return Fault(place or "body", in_json.replace("`", "").lower())
