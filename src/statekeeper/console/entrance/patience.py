"""How many wrong tokens an address may try before it has to wait.

A token of 32 random bytes is not to be guessed, with or without this; one that an operator has thought of may be. What
is counted is failures, of one minute, by the address that the connection comes from: a header could name any. Behind a
proxy that is one address for all, so that somebody could keep the form shut for others: bearers of tokens over the API
and those who sign in by OpenID Connect are not touched by it. Each process counts by itself, and no more addresses than
so many: the oldest is forgotten.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network
from typing import Final

FAILURES: Final = 10
SECONDS: Final = 60.0
ADDRESSES: Final = 1024


class Patience:
    """Counts failures by address, in windows that begin with the first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_of(self, address: str) -> float:
        """The seconds that an address must wait before it may try again; 0 where it may."""
        begun, count = self._window(_place(address))
        return begun + SECONDS - self._clock() if count >= FAILURES else 0.0

    def note_failure(self, address: str) -> None:
        place = _place(address)
        begun, count = self._window(place)
        self._failures[place] = begun, count + 1
        self._failures.move_to_end(place)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)

    def _window(self, place: str) -> tuple[float, int]:
        begun, count = self._failures.get(place, (self._clock(), 0))
        return (begun, count) if self._clock() < begun + SECONDS else (self._clock(), 0)


def _place(address: str) -> str:
    """Where an address is; whoever has one of IPv6 has the whole network of 64 bits, so that it is counted as one."""
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))
