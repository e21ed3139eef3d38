"""`statekeeper db`: the schema of the store, which an operator upgrades on PostgreSQL and `serve` on SQLite."""

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import show_json, show_line
from statekeeper.cli.store import with_store
from statekeeper.store import schema


@click.group()
def db() -> None:
    """Upgrade or check the store's schema."""


@db.command()
@store_flags
def upgrade() -> None:
    """Bring the store to this program's schema; a SQLite file that is not there is made.

    ```
    statekeeper db upgrade --database-url postgresql://statekeeper@db/statekeeper
    ```
    """
    before, after = with_store(schema.upgrade, create=True)
    show_line(
        f"The schema is {after} already." if before == after else f"Upgraded from {before or 'nothing'} to {after}."
    )


@db.command()
@store_flags
def check() -> None:
    """Exit 0 if the store's schema is what this program needs, else 2, saying what to do."""
    with_store(schema.check)
    show_line(f"The schema is {schema.head()}, as this program needs it.")


@db.command()
@store_flags
@click.option("--json", "as_json", is_flag=True, help="Print it, and the one this program needs, as JSON.")
def current(*, as_json: bool) -> None:
    """Print the revision of the store's schema."""
    found = with_store(schema.current)
    if as_json:
        show_json({"current": found, "needed": schema.head()})
    else:
        show_line(found or "no schema yet")
