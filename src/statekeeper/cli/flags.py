"""The flags that are settings: they come before environment and file.

A flag is noted where it stands and not passed on, so that a command takes its own arguments only and asks `settings()`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import rich_click as click
from click import get_current_context

from statekeeper.settings import Resolution, Settings, resolve

F = TypeVar("F", bound=Callable[..., Any])
_NOTED: Final = "statekeeper.flags"


def _note(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    """A flag given more than once is one list, as it would be written in the environment."""
    if value not in {None, ()}:
        said = ",".join(value) if isinstance(value, tuple) else value
        ctx.meta.setdefault(_NOTED, {})[parameter.name] = said


def _flag(name: str, **attributes: Any) -> Callable[[F], F]:  # noqa: ANN401 -- click's
    return click.option(name, callback=_note, expose_value=False, **attributes)


_callbacks_flag: Final = _flag(
    "--callbacks", multiple=True, metavar="PATH", help="An import path or a `.py` file with `@on_terminal` functions."
)


def store_flags(command: F) -> F:
    """`--config` and `--database-url`: which store."""
    url = _flag("--database-url", metavar="URL", help="The store: `sqlite:///PATH` or `postgresql://…`.")
    config = _flag("--config", type=click.Path(path_type=Path), metavar="FILE", help="The TOML file of settings.")
    return config(url(command))


def subscriber_flags(command: F) -> F:
    """The same, and `--callbacks`: which functions there are."""
    return store_flags(_callbacks_flag(command))


def serve_flags(command: F) -> F:
    """All settings that have a flag."""
    port = _flag("--port", metavar="NUMBER", help="The port to listen on.")
    host = _flag("--host", metavar="HOST", help="The host to listen on.")
    return store_flags(host(port(_callbacks_flag(command))))


def resolution() -> Resolution:
    """The settings and their origins, by the flags of this command and of those above it."""
    return resolve(get_current_context().meta.get(_NOTED))


def settings() -> Settings:
    return resolution().settings
