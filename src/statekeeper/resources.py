"""The files that travel with the program: statecharts and migrations.

A wheel carries them inside the package; in a checkout they stand at the top level. Charts are YAML or JSON, read as
YAML 1.2 reads words: `on` is a key of every chart and must not turn into a truth value.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from statekeeper.core.errors import Fault, StatechartError
from statekeeper.core.statechart import Statechart

_PACKAGE: Final = Path(__file__).resolve().parent
_CHECKOUT: Final = _PACKAGE.parent.parent


class _Loader(yaml.SafeLoader):
    """SafeLoader whose only words for truth are `true` and `false` (YAML 1.2, core schema)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def directory(name: str) -> Path:
    """`statecharts` or `alembic`, wherever this installation keeps it."""
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _CHECKOUT / name


def read_chart(path: Path) -> Statechart:
    """Read and compile a chart; raises `StatechartError`, `OSError` where the file cannot be read."""
    try:
        document: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StatechartError((Fault(path.name, f"is neither YAML nor JSON: {error}"),)) from error
    return Statechart.compile(document)


def default_chart() -> Statechart:
    """The chart that the service runs."""
    return read_chart(directory("statecharts") / "idnow-session.yaml")
