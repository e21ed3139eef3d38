"""Views as responses: JSON from msgspec, and the conditional answer of HTTP (RFC 9110, section 13.1.2)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response

_encode: Final = msgspec.json.Encoder().encode
_OPAQUE_TAG: Final = re.compile(r'"[^"]*"')
_FRESH: Final = {"Cache-Control": "no-store"}


def json_response(view: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] = _FRESH) -> Response[bytes]:
    return Response(_encode(view), status_code=status, media_type="application/json", headers=headers)


def conditional(request: Request[Any, Any, Any], view: msgspec.Struct) -> Response[bytes]:
    """The view with a strong validator, the hash of its bytes; 304 if the client has these bytes already."""
    body = _encode(view)
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _matches(tag, request.headers.getall("if-none-match", [])):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _matches(tag: str, asked: list[str]) -> bool:
    """By the weak comparison, which leaves a `W/` aside."""
    return any(value.strip() == "*" or tag in _OPAQUE_TAG.findall(value) for value in asked)
