"""A query's parameters, taken strictly: what is wrong is refused and named, and never read as if it were not there.

A misspelt filter that is ignored would list everything and look like an answer.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from statekeeper.core.errors import QueryRefused
from statekeeper.core.events import parse_uuid, storable
from statekeeper.core.instants import parse_rfc3339

MAX_PARAMETERS: Final = 100
_INTEGER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_POSITION: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
NO_UUID: Final = "must be a UUID in its canonical form"
BAD_POSITION: Final = "must be a position of the feed, in decimal digits"
BAD_ORDINAL: Final = "must be the ordinal of a step, in 1 to 9 decimal digits"
_TRUTHS: Final = {"true": True, "false": False}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values by name, in their order; each is read at most once, by what it must be."""

    values: dict[str, list[str]]

    @classmethod
    def read(cls, query: bytes, single: Collection[str], repeatable: Collection[str] = ()) -> "Parameters":
        """Take a query string apart; raises `QueryRefused` for a name that is unknown, or given too often."""
        values: dict[str, list[str]] = {}
        for name, value in _pairs(query):
            if name not in single and name not in repeatable:
                known = ", ".join((*repeatable, *single))
                raise QueryRefused(
                    "query", f"takes no other parameters than {known}" if known else "takes no parameters"
                )
            values.setdefault(name, []).append(value)
        for name in single:
            if len(values.get(name, ())) > 1:
                raise QueryRefused(name, "must be given once at most")
        return cls(values)

    def choices(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        chosen = self.values.get(name, ())
        if any(value not in allowed for value in chosen):
            raise QueryRefused(name, f"must be one of {', '.join(allowed)}")
        return tuple(chosen)

    def text(self, name: str) -> str | None:
        return self._one(name, lambda value: storable(value) or None, "must be a text of 1 to 255 characters")

    def verbatim(self, name: str) -> str | None:
        return self._one(name, lambda value: value, "")

    def uuid(self, name: str) -> UUID | None:
        return self._one(name, parse_uuid, NO_UUID)

    def truth(self, name: str) -> bool | None:
        return self._one(name, _TRUTHS.get, "must be true or false")

    def instant(self, name: str) -> datetime | None:
        return self._one(name, parse_instant, "must be an RFC 3339 time with its offset (a + is written %2B)")

    def integer(self, name: str, least: int, most: int) -> int | None:
        def parse(value: str) -> int | None:
            return int(value) if _INTEGER.fullmatch(value) and least <= int(value) <= most else None

        return self._one(name, parse, f"must be an integer from {least} to {most}")

    def position(self, name: str) -> int | None:
        return self._one(name, parse_position, BAD_POSITION)

    def seconds(self, name: str, most: float) -> float | None:
        def parse(value: str) -> float | None:
            return float(value) if _DECIMAL.fullmatch(value) and float(value) <= most else None

        return self._one(name, parse, f"must be a number of seconds from 0 to {most}")

    def _one(self, name: str, parse: Callable[[str], T | None], takes: str) -> T | None:
        if name not in self.values:
            return None
        parsed = parse(self.values[name][0])
        if parsed is None:
            raise QueryRefused(name, takes)
        return parsed


def read_uuid(field: str, text: str) -> UUID:
    """An id from a path; raises `QueryRefused` unless it is a UUID in its canonical form, in either case."""
    if (key := parse_uuid(text)) is None:
        raise QueryRefused(field, NO_UUID)
    return key


def read_position(field: str, text: str) -> int:
    """A position of the feed; raises `QueryRefused` for what is none."""
    if (position := parse_position(text)) is None:
        raise QueryRefused(field, BAD_POSITION)
    return position


def read_ordinal(field: str, text: str) -> int:
    """The ordinal of a session's step, which the store keeps in 32 bits; raises `QueryRefused` for what is none."""
    if not _INTEGER.fullmatch(text):
        raise QueryRefused(field, BAD_ORDINAL)
    return int(text)


def parse_position(text: str) -> int | None:
    return int(text) if _POSITION.fullmatch(text) else None


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        message = f"must be percent-encoded UTF-8 of at most {MAX_PARAMETERS} parameters"
        raise QueryRefused("query", message) from error


def parse_instant(value: str) -> datetime | None:
    """The time, or None where the text is no RFC 3339 time with its offset."""
    try:
        return parse_rfc3339(value) if _INSTANT.fullmatch(value) else None
    except (ValueError, OverflowError):
        return None
