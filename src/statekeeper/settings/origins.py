"""Where a setting came from, told by its path: `("idnow", "issuer")`, or `("endpoints", 0, "url")` inside a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Key = tuple[str, ...]
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """`kind` is `flag`, `environment`, `file` or `default`; `source` names the flag, the variable or the file."""

    kind: str
    source: str | None = None


DEFAULT: Final = Origin("default")


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of all settings that are not the default."""

    known: Mapping[Key, Origin]

    def of(self, location: Location) -> Origin:
        """The origin of what stands at `location`: said for it, for what it is a part of, or for a part of it."""
        key = _key(location)
        for length in range(len(key), 0, -1):
            if origin := self.known.get(key[:length]):
                return origin
        parts = (origin for path, origin in self.known.items() if path[: len(key)] == key)
        return next(parts, DEFAULT)


def _key(location: Location) -> Key:
    """A list has one origin: the path up to its first index."""
    names = []
    for part in location:
        if isinstance(part, int):
            break
        names.append(part)
    return tuple(names)
