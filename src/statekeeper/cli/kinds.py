"""The kinds of arguments that commands take, as strict as the API is."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import rich_click as click

from statekeeper.core.acts import MAX_REASON
from statekeeper.core.events import parse_uuid, storable
from statekeeper.core.instants import parse_rfc3339

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_LONGEST: Final = timedelta(days=36_525)


class Kind(click.ParamType[Any]):
    """A text that `parse` can read; it answers None, or raises `ValueError`, for one that it cannot."""

    def __init__(self, name: str, takes: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._takes = takes
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 -- click's
        try:
            parsed = self._parse(value)
        except (ValueError, OverflowError):
            parsed = None
        if parsed is None:
            self.fail(f"takes {self._takes}", param, ctx)
        return parsed


def _uuid(value: str) -> UUID | None:
    return parse_uuid(value)


def _instant(value: str) -> datetime:
    return parse_rfc3339(value)


def _reason(value: str) -> str | None:
    return value if value.strip() and storable(value, MAX_REASON) is not None else None


REASON: Final = Kind("text", f"a text of 1 to {MAX_REASON} characters", _reason)
ID: Final = Kind("uuid", "a UUID in its canonical form", _uuid)


def _since(value: str) -> datetime | timedelta | None:
    if duration := _DURATION.fullmatch(value):
        back = timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        return back if back <= _LONGEST else None
    return parse_rfc3339(value)


INSTANT: Final = Kind("time", "an RFC 3339 time with its offset, like 2026-01-08T08:35:37Z", _instant)
SINCE: Final = Kind("time", "a duration back from now, like 30m, 2h or 3d, or an RFC 3339 time with its offset", _since)
