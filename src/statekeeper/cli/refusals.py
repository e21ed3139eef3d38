"""`statekeeper refusals`: verified webhooks that were no events, for whoever must find out what the sender changed."""

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.screen import show_json, show_table
from statekeeper.cli.sessions import LIMIT
from statekeeper.cli.store import ask
from statekeeper.store.pages import DEFAULT_LIMIT


@click.command()
@store_flags
@click.option("--limit", type=LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, with their tokens.")
def refusals(*, limit: int, as_json: bool) -> None:
    """List the verified webhooks that were no events (answered 422), the newest first.

    ```
    statekeeper refusals --json
    ```
    """
    found = ask(lambda queries: queries.refusals.newest(limit))
    if as_json:
        show_json({"items": found})
        return
    rows = [
        (each.at, "\n".join(f"{fault.field}: {fault.detail}" for fault in each.errors), each.key_thumbprint)
        for each in found
    ]
    show_table("Refusals", ("at", "what was wrong", "signed by"), rows)
