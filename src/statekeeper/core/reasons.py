"""Why a step was taken that no event in its turn explains: in the words of the history, and read back by these words.

The text is what is kept and shown; whoever needs a number or a name of it asks here, where nobody can change how it is
written without seeing how it is read.
"""

import re
from typing import Final

AFTER_ITS_TURN: Final = "its number had been given up on before it came"
"""Of a step by an event that came late."""

_GIVEN_UP: Final = re.compile(r"numbers? (\d+)(?: to \d+)? w(?:as|ere) given up on")
_CAME_FIRST: Final = re.compile(r"(.+) came first, and the chart allows it only from .+", re.DOTALL)


def tell_given_up(first: int, last: int) -> str:
    """Of a step inferred in the stead of numbers that have not come."""
    if first == last:
        return f"number {first} was given up on"
    return f"numbers {first} to {last} were given up on"


def read_given_up(reason: str | None) -> int | None:
    """The first of the numbers that were given up on, if that is the reason."""
    found = _GIVEN_UP.fullmatch(reason or "")
    return int(found[1]) if found else None


def tell_came_first(name: str, state: str) -> str:
    """Of a step inferred since the first event of a session is one that the chart knows from a later state only."""
    return f"{name} came first, and the chart allows it only from {state}"


def read_came_first(reason: str | None) -> str | None:
    """The name of the event that came first, if that is the reason."""
    found = _CAME_FIRST.fullmatch(reason or "")
    return found[1] if found else None
