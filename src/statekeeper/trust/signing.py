"""Our signature on what goes out, so that its receiver may believe it (Standard Webhooks 1.0).

Signed is `id.timestamp.body`, by HMAC-SHA256, once with each secret, newest first: a receiver that knows any of them is
content, so that secrets can be changed without a moment in which none fits.
"""

import hashlib
import hmac
import os
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
NEW_BYTES: Final = 32
_SECRET_BYTES: Final = range(24, 64 + 1)


def parse_secret(text: str) -> bytes:
    """The key in a `whsec_` secret; raises `ValueError`, whose message does not show it."""
    encoded = text.removeprefix(PREFIX)
    if encoded == text:
        raise ValueError(f"must begin with {PREFIX}")
    try:
        key = a2b_base64(encoded.encode("ascii"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        raise ValueError(f"must be base64 after {PREFIX}") from None
    if len(key) not in _SECRET_BYTES:
        raise ValueError(f"must hold {_SECRET_BYTES[0]} to {_SECRET_BYTES[-1]} bytes")
    return key


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return PREFIX + b2a_base64(os.urandom(NEW_BYTES), newline=False).decode()


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers for one attempt at `timestamp`, in seconds since the epoch."""
    message = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    signatures = (hmac.digest(parse_secret(secret), message, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{b2a_base64(each, newline=False).decode()}" for each in signatures),
    }
