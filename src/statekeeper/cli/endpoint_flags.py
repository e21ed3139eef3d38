"""The options that commands on endpoints share, and what was given of them."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import rich_click as click

from statekeeper.core.subscribers import NOTICES, Scope

F = TypeVar("F", bound=Callable[..., Any])
NAME: Final = click.argument("name", metavar="NAME")
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
SECRET_FILE: Final = click.option(
    "--secret-file", type=click.File(), help="A file with its `whsec_` secret, `-` for stdin; else one is made."
)
_OPTIONS: Final = (
    click.option("--transitions", type=click.Choice([str(each) for each in Scope]), help="Which steps it is told of."),
    click.option("--state", "states", multiple=True, help="Only sessions in this state; repeatable."),
    click.option("--environment", "environments", multiple=True, help="Only this environment; repeatable."),
    click.option("--flow", "flows", multiple=True, help="Only this flowId; repeatable."),
    click.option(
        "--notice", "notices", type=click.Choice(NOTICES), multiple=True, help="A notice to send; repeatable."
    ),
    click.option("--concurrency", type=int, help="Attempts at once, 1 to 256."),
    click.option("--rate", type=float, help="Attempts a second of one node."),
)


def endpoint_options(command: F) -> F:
    """What an endpoint wants to be told, and how fast."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as JSON has them."""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    return {name: value for name, value in said.items() if value not in (None, [])}


def secret_in(file: Any) -> dict[str, str]:  # noqa: ANN401 -- a text file
    """A secret never stands on a command line, where others could read it."""
    return {"secret": file.read().strip()} if file else {}
