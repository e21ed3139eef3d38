"""What people do to sessions and callbacks, by whichever door they come: the words of the audit trail.

An act is a value: what is to be done, and why. It says itself what is wrong with its reason, so that no door can let a
bad one in. What it would do is planned by the functions that do it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from statekeeper.core.errors import BodyRefused, Fault
from statekeeper.core.events import storable

MAX_REASON: Final = 500
_TAKES: Final = f"must be a text of 1 to {MAX_REASON} characters, and not of spaces only"
BAD_REASON: Final = Fault("reason", _TAKES)
BAD_NOTE: Final = Fault("text", _TAKES)


class Via(StrEnum):
    """By which door somebody came."""

    CONSOLE = "console"
    API = "api"
    CLI = "cli"


class Deed(StrEnum):
    """What was done, as the trail calls it."""

    RETRY = "callback.retry"
    RESEND = "callback.resend"
    CLOSE_GAP = "session.close_gap"
    NOTE = "session.note"
    ENDPOINT_CREATE = "endpoint.create"
    ENDPOINT_CHANGE = "endpoint.change"
    ENDPOINT_DELETE = "endpoint.delete"
    ENDPOINT_ROTATE = "endpoint.rotate"
    ENDPOINT_ENABLE = "endpoint.enable"
    ENDPOINT_DISABLE = "endpoint.disable"
    ENDPOINT_PING = "endpoint.ping"
    ENDPOINT_RESEAL = "endpoint.reseal"
    RECOVER = "endpoint.recover"
    BACKFILL = "endpoint.backfill"
    CONSUMER_PLACE = "consumer.place"
    CONSUMER_REMOVE = "consumer.remove"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a name, the role that allowed it, the door, and from where (an address, a host); None if unknown.

    `account` is how their OpenID provider identifies them, whatever their name becomes (`iss`, `sub`: RFC 9493, 3.2.3).
    """

    name: str
    role: str
    via: Via
    origin: str | None = None
    account: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A callback as whoever asks has seen it, so that nobody sends by a second click what was sent since."""

    status: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Retry:
    """Make a callback that is pending or dead due at once. Raises `BodyRefused` for a bad reason, as all acts do."""

    deed: ClassVar = Deed.RETRY
    callback_id: UUID
    reason: str | None = None
    expected: Seen | None = None

    def __post_init__(self) -> None:
        _check(self.reason, BAD_REASON)


@dataclass(frozen=True, slots=True)
class Resend:
    """Send a delivered callback once more, under the same id."""

    deed: ClassVar = Deed.RESEND
    callback_id: UUID
    reason: str | None = None
    expected: Seen | None = None

    def __post_init__(self) -> None:
        _check(self.reason, BAD_REASON)


@dataclass(frozen=True, slots=True)
class CloseGap:
    """Give up now on the numbers missing before a session's first held event.

    `expected` are the numbers that whoever asks believes to be given up on, so that nobody closes by a second click
    what nobody has looked at.
    """

    deed: ClassVar = Deed.CLOSE_GAP
    session_id: UUID
    reason: str | None = None
    expected: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _check(self.reason, BAD_REASON)


@dataclass(frozen=True, slots=True)
class Note:
    """Say something about a session, for whoever reads its story later; what is said is the reason of the entry."""

    deed: ClassVar = Deed.NOTE
    session_id: UUID
    reason: str | None = None

    def __post_init__(self) -> None:
        _check(self.reason, BAD_NOTE)


Act = Retry | Resend | CloseGap | Note


def require_reason(act: Act) -> None:
    """Raise `BodyRefused` where somebody would do without a word what takes a reason; all may be planned without."""
    if act.reason is None and not isinstance(act, Retry):
        raise BodyRefused((BAD_NOTE if isinstance(act, Note) else BAD_REASON,))


def _check(reason: str | None, fault: Fault) -> None:
    """Every store can keep it, and somebody can read it."""
    if reason is not None and (storable(reason, MAX_REASON) is None or not reason.strip()):
        raise BodyRefused((fault,))
