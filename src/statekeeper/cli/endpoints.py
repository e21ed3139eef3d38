"""`statekeeper endpoints`: who is told, and the acts of their admin, on the store that the settings name.

A service that runs on that store follows within 2 s.
"""

from typing import Any

import rich_click as click

from statekeeper.cli.actors import actor
from statekeeper.cli.administration import administer, show_all, show_one, show_secret
from statekeeper.cli.endpoint_flags import AS_JSON, NAME, SECRET_FILE, endpoint_options, given, secret_in
from statekeeper.cli.endpoint_secrets import print_key, reseal, rotate
from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import counted, show_json, show_line


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
@AS_JSON
def list_all(*, as_json: bool) -> None:
    """List endpoints and brokers, by name.

    ```
    statekeeper endpoints list --json
    ```
    """
    show_all(as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@AS_JSON
def show(*, name: str, as_json: bool) -> None:
    """Show one, with its health and what it is owed.

    ```
    statekeeper endpoints show crm
    ```
    """
    show_one(administer(lambda acts: acts.show(name)), as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@click.argument("url", metavar="URL")
@SECRET_FILE
@endpoint_options
@AS_JSON
def create(*, name: str, url: str, secret_file: Any, as_json: bool, **options: Any) -> None:  # noqa: ANN401 -- click's
    """Make an endpoint, and print its secret, this once.

    ```
    statekeeper endpoints create crm https://crm.example/hooks/ident --state completed
    ```
    """
    values = {"name": name, "url": url, **given(options), **secret_in(secret_file)}
    show_secret(administer(lambda acts: acts.create(values, actor()), functions=True), as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@click.option("--url", help="Another URL.")
@endpoint_options
@click.option(
    "--reset", "resets", multiple=True, metavar="MEMBER", help="Take a member back to its default; repeatable."
)
@AS_JSON
def change(*, name: str, url: str | None, resets: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Change what is given, and leave the rest.

    ```
    statekeeper endpoints change crm --rate 5 --reset states
    ```
    """
    unknown = sorted(set(resets) - options.keys())
    if unknown:
        raise click.BadParameter(f"there are {', '.join(sorted(options))}", param_hint="--reset")
    patch = dict.fromkeys(resets) | given({"url": url, **options})
    show_one(administer(lambda acts: acts.change(name, patch, actor())), as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(*, name: str, yes: bool) -> None:
    """Take an endpoint away; the callbacks that it is owed become dead, and are kept.

    ```
    statekeeper endpoints delete crm --yes
    ```
    """
    if not yes:
        click.confirm(f"Delete {name}? What it is owed will be dead.", abort=True, err=True)
    dead = administer(lambda acts: acts.delete(name, actor()))
    show_line(f"{name} is deleted; {counted(dead, 'of its callbacks is', 'of its callbacks are')} dead for it.")


@endpoints.command()
@store_flags
@NAME
@AS_JSON
def enable(*, name: str, as_json: bool) -> None:
    """Let callbacks go out again, and close the circuit.

    ```
    statekeeper endpoints enable crm
    ```
    """
    show_one(administer(lambda acts: acts.enable(name, actor())), as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@click.option("--reason", default="by the command line", show_default=True, help="Why, for whoever asks.")
@AS_JSON
def disable(*, name: str, reason: str, as_json: bool) -> None:
    """Hold callbacks back until somebody enables it.

    ```
    statekeeper endpoints disable crm --reason "the receiver is moving"
    ```
    """
    show_one(administer(lambda acts: acts.disable(name, reason[:255], actor())), as_json=as_json)


@endpoints.command()
@store_flags
@NAME
@AS_JSON
@click.pass_context
def ping(ctx: click.Context, *, name: str, as_json: bool) -> None:
    """Send a test message from here; exit 1 unless it is delivered.

    ```
    statekeeper endpoints ping crm
    ```
    """
    view = administer(lambda acts: acts.ping(name, actor()))
    if as_json:
        show_json(view)
    else:
        show_line(f"{name}: {view.outcome} in {view.duration_ms} ms" + (f", {view.detail}" if view.detail else ""))
    ctx.exit(0 if view.outcome == "delivered" else 1)


for each in (rotate, print_key, reseal):
    endpoints.add_command(each)
