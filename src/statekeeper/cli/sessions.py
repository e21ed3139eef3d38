"""`statekeeper sessions`: sessions as support asks for them, straight from the store."""

from typing import Any, Final

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.kinds import INSTANT
from statekeeper.cli.screen import show_json, show_line, show_table
from statekeeper.cli.store import ask
from statekeeper.resources import default_chart
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries.sessions import SessionFilter
from statekeeper.store.views import SessionPage

LIMIT: Final = click.IntRange(1, MAX_LIMIT)


@click.command()
@store_flags
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only those in this state; repeatable.")
@click.option("--terminal/--no-terminal", default=None, help="Only those that have ended, or have not.")
@click.option("--environment", help="Only those of this environment.")
@click.option("--flow-id", help="Only those of this flow.")
@click.option("--updated-after", type=INSTANT, help="Only those changed after this time.")
@click.option("--updated-before", type=INSTANT, help="Only those changed before this time.")
@click.option("--limit", type=LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many at most.")
@click.option("--cursor", help="The nextCursor of an earlier list, to go on behind it.")
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def sessions(*, limit: int, cursor: str | None, as_json: bool, **wanted: Any) -> None:  # noqa: ANN401 -- filters
    """List sessions, the newest change first.

    ```
    statekeeper sessions --state created --updated-before 2026-01-08T00:00:00Z
    ```
    """
    _check_states(wanted["states"])
    page = ask(lambda queries: queries.sessions.search(SessionFilter(**wanted), limit, cursor))
    if as_json:
        show_json(page)
    else:
        _show_page(page)


def _check_states(states: tuple[str, ...]) -> None:
    known = default_chart().states
    if strange := set(states).difference(known):
        message = f"there is no {', '.join(sorted(strange))}; there are {', '.join(known)}"
        raise click.BadParameter(message, param_hint="--state")


def _show_page(page: SessionPage) -> None:
    rows = [
        (each.session_id, each.state, each.environment, each.flow_id, _numbers(each.held), each.updated_at)
        for each in page.items
    ]
    show_table("Sessions", ("session", "state", "environment", "flow", "held", "changed"), rows)
    if page.next_cursor:
        show_line(f"More: --cursor {page.next_cursor}")


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
