"""What is secret about endpoints: the secrets that sign what they are sent, and the keys that seal those."""

from datetime import timedelta
from typing import Any, Final

import rich_click as click

from statekeeper.cli.actors import actor
from statekeeper.cli.administration import administer, show_secret
from statekeeper.cli.endpoint_flags import AS_JSON, NAME, SECRET_FILE, secret_in
from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import counted, show_line
from statekeeper.trust.sealing import new_key

DAY: Final = 86_400
LONGEST_OVERLAP: Final = 30 * DAY


@click.command()
@store_flags
@NAME
@click.option(
    "--overlap",
    type=click.IntRange(0, LONGEST_OVERLAP),
    default=DAY,
    show_default=True,
    help="Seconds in which the old secret signs too.",
)
@SECRET_FILE
@AS_JSON
def rotate(*, name: str, overlap: int, secret_file: Any, as_json: bool) -> None:  # noqa: ANN401 -- click's
    """Give an endpoint another secret, and print it, this once.

    ```
    statekeeper endpoints rotate crm --overlap 3600
    ```
    """
    secret = secret_in(secret_file).get("secret")
    view = administer(lambda acts: acts.rotate(name, secret, timedelta(seconds=overlap), actor()))
    show_secret(view, as_json=as_json)


@click.command("new-key")
def print_key() -> None:
    """Print a new key for `encryption_keys`; put it before those that are there.

    ```
    statekeeper endpoints new-key
    ```
    """
    click.echo(new_key())


@click.command()
@store_flags
@click.pass_context
def reseal(ctx: click.Context) -> None:
    """Seal all endpoints anew with the first of `encryption_keys`; exit 1 if one could not be opened.

    ```
    statekeeper endpoints reseal
    ```
    """
    resealed, closed = administer(lambda acts: acts.reseal(actor()))
    show_line(f"{counted(resealed, 'endpoint is', 'endpoints are')} sealed with the first key.")
    for name in closed:
        click.echo(f"Error: {name} opens with none of the keys.", err=True)
    ctx.exit(1 if closed else 0)
