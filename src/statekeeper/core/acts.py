"""What people do to sessions and callbacks, by whichever door they come: the words of the audit trail."""

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    """By which door somebody came."""

    CONSOLE = "console"
    API = "api"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a name, the role that allowed it, the door, and from where (an address, a host); None if unknown."""

    name: str
    role: str
    via: Via
    origin: str | None = None
