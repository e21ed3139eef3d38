"""`statekeeper tail`: what happens to sessions, live and in colour, for a person who watches."""

from datetime import datetime
from typing import Final
from uuid import UUID

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.follower import follow
from statekeeper.cli.kinds import ID
from statekeeper.cli.screen import show_json_line, show_words
from statekeeper.core.instants import parse_rfc3339
from statekeeper.core.machine import Cause
from statekeeper.resources import default_chart
from statekeeper.store.feed_pages import FeedFilter
from statekeeper.store.views import FeedItem

_WIDEST_STATE: Final = max(map(len, default_chart().states))


@click.command()
@store_flags
@click.option("-n", "--lines", type=click.IntRange(min=0), default=10, show_default=True, help="Begin so many back.")
@click.option(
    "--state", "states", type=click.Choice(default_chart().states), multiple=True, help="Into it; repeatable."
)
@click.option("--session", "session_id", type=ID, metavar="SESSION", help="Of this session only.")
@click.option("--environment", help="Ends in this environment only.")
@click.option("--flow-id", help="Ends of this flow only.")
@click.option("--ends", is_flag=True, help="Only steps into a terminal state.")
@click.option("--json", "as_json", is_flag=True, help="Print each step as a line of JSON.")
def tail(
    *,
    lines: int,
    states: tuple[str, ...],
    session_id: UUID | None,
    environment: str | None,
    flow_id: str | None,
    ends: bool,
    as_json: bool,
) -> None:
    """Show steps as they are taken, and the last few before.

    It ends with Ctrl-C. Where a session comes from is known for certain at its end, so that `--environment` and
    `--flow-id` show ends only.

    ```
    statekeeper tail
    statekeeper tail --state error --state aborted
    statekeeper tail --environment live -n 100
    ```
    """
    known_at_the_end = environment is not None or flow_id is not None
    wanted = FeedFilter(ends or known_at_the_end, states, environment, flow_id)
    show = show_json_line if as_json else show_step

    def show_wanted(item: FeedItem) -> None:
        if session_id in {None, item.session_id}:
            show(item)

    follow(lambda head: max(0, head - lines), wanted, show_wanted)


def show_step(item: FeedItem) -> None:
    """One step as a line: when, by the clock of whoever watches; into what; of which session; how."""
    words = [clock(item.at), item.state.ljust(_WIDEST_STATE), str(item.session_id), f"{item.source} → {item.trigger}"]
    if item.cause == Cause.INFERRED:
        words.append("inferred")
    words += [str(said) for said in (item.environment, item.flow_id) if said]
    if item.terminal and not item.contiguous:
        words.append("over a gap")
    show_words(*words)


def clock(at: str) -> str:
    """The time of day where this terminal is."""
    local: datetime = parse_rfc3339(at).astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
