"""Settings as they may be shown: every one with its value and its origin, and no secret among them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from statekeeper.logs import HIDDEN, redact, show_url
from statekeeper.settings.model import Settings
from statekeeper.settings.origins import Key, Origins


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. `value` is what JSON can write; `source` names the flag, the variable or the file."""

    name: str
    value: Any
    origin: str
    source: str | None


def resolved(settings: Settings, origins: Origins) -> list[Row]:
    """All settings in the order of the reference."""
    return [_row(key, value, origins) for key, value in _leaves(settings)]


def _row(key: Key, value: object, origins: Origins) -> Row:
    origin = origins.of(key)
    if key == ("database_url",) and isinstance(value, SecretStr):
        value = value.get_secret_value()
    return Row(".".join(key), show(value), origin.kind, origin.source)


def _leaves(model: BaseModel, before: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*before, name))
        else:
            yield (*before, name), value


def show(value: object) -> Any:  # noqa: ANN401 -- what JSON can write
    """A value without what is secret in it."""
    match value:
        case SecretStr():
            shown: Any = HIDDEN
        case BaseModel():
            shown = {name: show(getattr(value, name)) for name in type(value).model_fields}
        case str():
            shown = redact(show_url(value))
        case Mapping():
            shown = "a table"
        case Sequence():
            shown = [show(part) for part in value]
        case None | int() | float():
            shown = value
        case _:
            shown = str(value)
    return shown
