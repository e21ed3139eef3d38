"""What is wrong with settings, one line a fault: the setting's name, what it got and from where, what it takes.

A secret is never what it got: endpoints, brokers and tokens show only the members that cannot hold one, an unknown key
shows its name and not its value, a URL its user but not the password, and whatever looks like a token is blotted out in
the end.
"""

import json
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from statekeeper.core.errors import Fault
from statekeeper.logs import HIDDEN
from statekeeper.settings.display import show
from statekeeper.settings.model import Settings
from statekeeper.settings.origins import Location, Origins

_LONGEST: Final = 80
_LISTS_OF_TABLES: Final = {"endpoints", "brokers", "tokens"}
_HARMLESS: Final = {
    "name",
    "url",
    "destination",
    "transitions",
    "states",
    "environments",
    "flows",
    "notices",
    "concurrency",
    "rate",
    "role",
}


def read_faults(error: ValidationError, origins: Origins) -> tuple[Fault, ...]:
    """The faults that pydantic found, each with what was got and from where."""
    return tuple(Fault(_name(detail["loc"]), _sentence(detail, origins)) for detail in _details(error))


def read_endpoint_faults(error: ValidationError) -> tuple[Fault, ...]:
    """The same of one endpoint that came by itself: what it takes, and never what it got."""
    return tuple(Fault(_member(detail["loc"]), _demand(detail)) for detail in _details(error))


def _details(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong with a part is not said again of the whole."""
    details = error.errors(include_url=False)
    parts = {detail["loc"][:length] for detail in details for length in range(1, len(detail["loc"]))}
    return [detail for detail in details if detail["loc"] not in parts]


def _member(location: Location) -> str:
    """The member at fault; of `secrets` there is one, given as `secret`."""
    return "secret" if location[:1] == ("secrets",) else _name(location)


def _demand(detail: ErrorDetails) -> str:
    location = ("endpoints", 0, *detail["loc"])
    if detail["type"] == "missing":
        return f"is missing; takes {_takes(location)}"
    if detail["type"] == "extra_forbidden":
        return f"is no member of an endpoint; there are {_siblings(location)}"
    return _reason(detail, location)


def _name(location: Location) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _sentence(detail: ErrorDetails, origins: Origins) -> str:
    location, kind = detail["loc"], detail["type"]
    source = origins.of(location).source
    if kind == "missing":
        return f"is missing in {source}; takes {_takes(location)}"
    if kind == "extra_forbidden":
        return f"is no setting, but stands in {source}; there are {_siblings(location)}"
    return f"got {_got(location, detail['input'])} from {source}; {_reason(detail, location)}"


def _reason(detail: ErrorDetails, location: Location) -> str:
    """What a rule says, if it says more than that it was broken, and what the setting takes."""
    said = str(detail.get("ctx", {}).get("error", "")) if detail["type"] == "value_error" else ""
    return f"{said}; takes {_takes(location)}".removeprefix("; ")


def _got(location: Location, value: object) -> str:
    """What was given, as far as it can be no secret."""
    if (
        location[0] == "encryption_keys"
        or location[-1] == "client_secret"
        or (location[0] in _LISTS_OF_TABLES and not _HARMLESS.intersection(location[2:3]))
    ):
        return HIDDEN
    shown = json.dumps(show(value), ensure_ascii=False)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _takes(location: Location) -> str:
    kind, field = _walk(location)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"a table with {_members(kind)}"
    return str(field and field.description)


def _siblings(location: Location) -> str:
    kind, _ = _walk(location[:-1])
    return _members(kind)


def _members(model: type[BaseModel]) -> str:
    return ", ".join(sorted(model.model_fields))


def _walk(location: Location) -> tuple[Any, FieldInfo | None]:
    """The type of what stands at `location`, and the last setting on the way there."""
    kind: Any = Settings
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            kind = get_args(kind)[0]
        else:
            field = kind.model_fields[part]
            kind = field.annotation
    return kind, field
