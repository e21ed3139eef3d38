"""Callbacks as an endpoint gets them: really encoded, really signed, now.

body = body_of(ended(number, state="error"))     # the bytes that the service would post
headers = signed(body, SECRET, OLD, number=7)    # as the callback of this number
"""

import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from statekeeper import SessionEnded
from statekeeper.core.callbacks import Callback, encode
from statekeeper.core.snapshot import Cause, Step
from statekeeper.trust.signing import sign

SECRET, OLD, OTHER = (f"whsec_{b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3))
SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")
AT = datetime(2026, 1, 8, 8, 35, 37, 581000, tzinfo=UTC)


def ended(number: int = 1, **facts) -> SessionEnded:
    whole = SessionEnded(UUID(int=number), SESSION, None, "live", "completed", AT, None, [1, 2], True)
    return replace(whole, **facts)


def body_of(told: SessionEnded, *, final: bool = True, detailed: bool = False) -> bytes:
    step = Step(2, "created", told.state, f"session.{told.state}", Cause.EVENT)
    return encode(Callback("crm", step, told, final, detailed)).encode()


def signed(body: bytes, *secrets: str, number: int = 1, at: int = 0) -> dict[str, str]:
    """The headers, `at` seconds from now."""
    return sign(secrets, str(UUID(int=number)), int(time.time()) + at, body)
