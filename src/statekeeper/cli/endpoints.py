"""`statekeeper endpoints`: who is told, and the acts of their admin, on the store that the settings name.

A service that runs on that store follows within 2 s.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import rich_click as click

from statekeeper.cli.administration import administer, show_all, show_one, show_secret
from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import show_json, show_line
from statekeeper.core.subscribers import NOTICES, Scope
from statekeeper.trust.sealing import new_key

DAY: Final = 86_400
LONGEST_OVERLAP: Final = 30 * DAY
F = TypeVar("F", bound=Callable[..., Any])
_NAME: Final = click.argument("name", metavar="NAME")
_AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
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


@click.group(invoke_without_command=True)
@store_flags
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def endpoints(ctx: click.Context, *, as_json: bool) -> None:
    """List endpoints and brokers, or change an endpoint.

    Those in the settings are shown, and can be enabled, disabled and pinged; they are changed in the settings only.

    ```
    statekeeper endpoints
    statekeeper endpoints create crm https://crm.example/hooks/ident --state completed
    statekeeper endpoints rotate crm
    ```
    """
    if not ctx.invoked_subcommand:
        show_all(as_json=as_json)


@endpoints.command("list")
@store_flags
@_AS_JSON
def list_all(*, as_json: bool) -> None:
    """List endpoints and brokers, by name.

    ```
    statekeeper endpoints list --json
    ```
    """
    show_all(as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@_AS_JSON
def show(*, name: str, as_json: bool) -> None:
    """Show one, with its health and what it is owed.

    ```
    statekeeper endpoints show crm
    ```
    """
    show_one(administer(lambda acts: acts.show(name)), as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@click.argument("url", metavar="URL")
@click.option(
    "--secret-file", type=click.File(), help="A file with its `whsec_` secret, `-` for stdin; else one is made."
)
@endpoint_options
@_AS_JSON
def create(*, name: str, url: str, secret_file: Any, as_json: bool, **options: Any) -> None:  # noqa: ANN401 -- click's
    """Make an endpoint, and print its secret, this once.

    ```
    statekeeper endpoints create crm https://crm.example/hooks/ident --state completed
    ```
    """
    values = {"name": name, "url": url, **_given(options), **_secret(secret_file)}
    show_secret(administer(lambda acts: acts.create(values), functions=True), as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@click.option("--url", help="Another URL.")
@endpoint_options
@click.option(
    "--reset", "resets", multiple=True, metavar="MEMBER", help="Take a member back to its default; repeatable."
)
@_AS_JSON
def change(*, name: str, url: str | None, resets: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Change what is given, and leave the rest.

    ```
    statekeeper endpoints change crm --rate 5 --reset states
    ```
    """
    unknown = sorted(set(resets) - options.keys())
    if unknown:
        raise click.BadParameter(f"there are {', '.join(sorted(options))}", param_hint="--reset")
    patch = dict.fromkeys(resets) | _given({"url": url, **options})
    show_one(administer(lambda acts: acts.change(name, patch)), as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(*, name: str, yes: bool) -> None:
    """Take an endpoint away; the callbacks that it is owed become dead, and are kept.

    ```
    statekeeper endpoints delete crm --yes
    ```
    """
    if not yes:
        click.confirm(f"Delete {name}? What it is owed will be dead.", abort=True, err=True)
    dead = administer(lambda acts: acts.delete(name))
    show_line(f"{name} is deleted; {dead} of its callbacks are dead for it.")


@endpoints.command()
@store_flags
@_NAME
@click.option(
    "--overlap",
    type=click.IntRange(0, LONGEST_OVERLAP),
    default=DAY,
    show_default=True,
    help="Seconds in which the old secret signs too.",
)
@click.option(
    "--secret-file", type=click.File(), help="A file with its `whsec_` secret, `-` for stdin; else one is made."
)
@_AS_JSON
def rotate(*, name: str, overlap: int, secret_file: Any, as_json: bool) -> None:  # noqa: ANN401 -- click's
    """Give an endpoint another secret, and print it, this once.

    ```
    statekeeper endpoints rotate crm --overlap 3600
    ```
    """
    secret = _secret(secret_file).get("secret")
    view = administer(lambda acts: acts.rotate(name, secret, timedelta(seconds=overlap)))
    show_secret(view, as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@_AS_JSON
def enable(*, name: str, as_json: bool) -> None:
    """Let callbacks go out again, and close the circuit.

    ```
    statekeeper endpoints enable crm
    ```
    """
    show_one(administer(lambda acts: acts.enable(name)), as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@click.option("--reason", default="by the command line", show_default=True, help="Why, for whoever asks.")
@_AS_JSON
def disable(*, name: str, reason: str, as_json: bool) -> None:
    """Hold callbacks back until somebody enables it.

    ```
    statekeeper endpoints disable crm --reason "the receiver is moving"
    ```
    """
    show_one(administer(lambda acts: acts.disable(name, reason[:255])), as_json=as_json)


@endpoints.command()
@store_flags
@_NAME
@_AS_JSON
@click.pass_context
def ping(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Send a test message from here; exit 1 unless it is delivered.

    ```
    statekeeper endpoints ping crm
    ```
    """
    view = administer(lambda acts: acts.ping(name))
    if as_json:
        show_json(view)
    else:
        show_line(f"{name}: {view.outcome} in {view.duration_ms} ms" + (f", {view.detail}" if view.detail else ""))
    ctx.exit(0 if view.outcome == "delivered" else 1)


@endpoints.command("new-key")
def print_key() -> None:
    """Print a new key for `encryption_keys`; put it before those that are there.

    ```
    statekeeper endpoints new-key
    ```
    """
    click.echo(new_key())


@endpoints.command()
@store_flags
@click.pass_context
def reseal(ctx: click.Context) -> None:
    """Seal all endpoints anew with the first of `encryption_keys`; exit 1 if one could not be opened.

    ```
    statekeeper endpoints reseal
    ```
    """
    resealed, closed = administer(lambda acts: acts.reseal())
    show_line(f"{resealed} endpoints are sealed with the first key.")
    for name in closed:
        click.echo(f"Error: {name} opens with none of the keys.", err=True)
    ctx.exit(1 if closed else 0)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as JSON has them."""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    return {name: value for name, value in said.items() if value not in (None, [])}


def _secret(file: Any) -> dict[str, str]:  # noqa: ANN401 -- a text file
    """A secret never stands on a command line, where others could read it."""
    return {"secret": file.read().strip()} if file else {}
