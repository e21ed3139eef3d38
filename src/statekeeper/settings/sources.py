"""Where settings come from: flags, the environment, a TOML file; and which of them said what.

The sources are merged leaf by leaf, the lowest first, so that `STATEKEEPER_IDNOW__ISSUER` overrides one key of the
file's `[idnow]` and leaves the rest. An empty variable counts as none. The file is `statekeeper.toml` in the working
directory, if there is one, or the one that is named, which must be there.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from statekeeper.core.errors import Fault, SettingsError
from statekeeper.settings.faults import read_faults
from statekeeper.settings.model import Settings
from statekeeper.settings.origins import Key, Origin, Origins

CONFIG_FILE: Final = "statekeeper.toml"
CONFIG_VARIABLE: Final = "STATEKEEPER_CONFIG"
_PREFIX: Final = "STATEKEEPER_"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The settings, and where each of them came from."""

    settings: Settings
    origins: Origins


@dataclass(slots=True)
class _Merge:
    """What the sources say, so far."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, Origin] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], kind: str, label: Callable[[Key], str]) -> None:
        for key, value in _leaves(values):
            self._put(key, value)
            self.origins[key] = Origin(kind, label(key))

    def _put(self, key: Key, value: object) -> None:
        table = self.values
        for name in key[:-1]:
            if not isinstance(table.get(name), dict):
                table[name] = {}
            table = table[name]
        table[key[-1]] = value


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; raises `SettingsError` with every fault found, not only the first."""
    return resolve(flags).settings


def resolve(flags: Mapping[str, Any] | None = None) -> Resolution:
    """Read the settings and their origins. `flags` are named like the settings, `config` among them; None is unset."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    path = _config_file(given.pop("config", None))
    merge = _Merge()
    if path is not None:
        merge.add(_read_file(path), "file", lambda _: str(path))
    merge.add(EnvSettingsSource(Settings, case_sensitive=False)(), "environment", _variable)
    merge.add(given, "flag", lambda key: f"--{key[0].replace('_', '-')}")
    origins = Origins(merge.origins)
    try:
        return Resolution(Settings(**merge.values), origins)
    except ValidationError as error:
        faults = read_faults(error, origins)
    raise SettingsError(faults)


def unknown_variables() -> list[str]:
    """Variables that begin like ours and are none: misspelt, or set by others, as Kubernetes does for its services."""
    known = {*Settings.model_fields, "config"}
    ours = [name for name in os.environ if name.upper().startswith(_PREFIX)]
    return sorted(name for name in ours if name[len(_PREFIX) :].lower().split("__")[0] not in known)


def _leaves(values: Mapping[str, Any], before: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value with its path; an empty table is one as well, so that an unknown one is noticed."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*before, name))
        else:
            yield (*before, name), value


def _variable(key: Key) -> str:
    return _PREFIX + "__".join(key).upper()


def _config_file(flag: str | os.PathLike[str] | None) -> Path | None:
    """The file to read; one that is named must be there, the default one need not."""
    if flag is not None:
        return _existing(Path(flag), "--config")
    if named := os.environ.get(CONFIG_VARIABLE):
        return _existing(Path(named), CONFIG_VARIABLE)
    return Path(CONFIG_FILE) if Path(CONFIG_FILE).exists() else None


def _existing(path: Path, origin: str) -> Path:
    if not path.exists():
        raise SettingsError((Fault("config", f'got "{path}" from {origin}; there is no such file'),))
    return path


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fault = Fault("config", f'"{path}" cannot be read: {error.strerror}')
    except UnicodeDecodeError:
        fault = Fault("config", f'"{path}" is not TOML: it is not UTF-8')
    except tomllib.TOMLDecodeError as error:
        fault = Fault("config", f'"{path}" is not TOML: {error}')
    raise SettingsError((fault,))
