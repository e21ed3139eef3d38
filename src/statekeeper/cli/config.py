"""`statekeeper config`: the settings as they are, after flags, environment and file."""

from dataclasses import asdict
from typing import Any, Final

import rich_click as click

from statekeeper.cli.flags import resolution, serve_flags
from statekeeper.cli.screen import show_json, show_table
from statekeeper.settings import Row, resolved, unknown_variables

_REQUIRED: Final = {"idnow.issuer", "idnow.audience"}


@click.command()
@serve_flags
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def config(*, as_json: bool) -> None:
    """Show the settings, and where each comes from.

    Secrets are not shown. Variables that begin with STATEKEEPER_ and are no settings are named on stderr.

    ```
    statekeeper config --config /etc/statekeeper.toml
    ```
    """
    found = resolution()
    rows = resolved(found.settings, found.origins)
    if as_json:
        show_json({"items": [asdict(row) for row in rows]})
    else:
        show_table("Settings", ("setting", "value", "from"), map(_shown, rows))
    for name in unknown_variables():
        click.echo(f"Note: {name} is no setting.", err=True)


def _shown(row: Row) -> tuple[str, str, str]:
    value = "(required to serve)" if row.name in _REQUIRED and not row.value else _text(row.value)
    return row.name, value, row.source or row.origin


def _text(value: Any) -> str:  # noqa: ANN401 -- what JSON can write
    """As it would be written in the environment; of tables one a line, with the members that say something."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "\n".join(" ".join(f"{name}={_text(part)}" for name, part in each.items() if part) for each in value)
    return ",".join(map(_text, value)) if isinstance(value, list) else str("" if value is None else value)
