"""`statekeeper feed`: steps in their one order, and the consumers whose position the store keeps."""

import rich_click as click
from click.core import ParameterSource

from statekeeper.cli.actors import actor
from statekeeper.cli.flags import store_flags
from statekeeper.cli.follower import follow
from statekeeper.cli.screen import show_json, show_json_line, show_line, show_table
from statekeeper.cli.store import ask, write
from statekeeper.resources import default_chart
from statekeeper.store import recorded
from statekeeper.store.consumers import Placement, consumer_name
from statekeeper.store.feed_pages import DEFAULT_ITEMS, MAX_ITEMS, FeedFilter
from statekeeper.store.views import FeedItem, FeedPage


class Place(click.ParamType[int | None]):
    """A position, `start` or `end`; the end is None."""

    name = "position"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value)
        if text == "end":
            return None
        if text == "start":
            return 0
        if not (text.isascii() and text.isdigit()):
            self.fail(f"{text!r} is no position, nor start or end.", param, ctx)
        return int(text)


@click.group(invoke_without_command=True)
@store_flags
@click.option("--after", type=click.IntRange(min=0), help="Behind this position.  [default: 0; to follow, the newest]")
@click.option("--limit", type=click.IntRange(1, MAX_ITEMS), default=DEFAULT_ITEMS, show_default=True, help="At most.")
@click.option("--all", "every", is_flag=True, help="Every step, and not only ends.")
@click.option(
    "--state", "states", type=click.Choice(default_chart().states), multiple=True, help="Into it; repeatable."
)
@click.option("--follow", "following", is_flag=True, help="Print each step as it is taken, until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the page as JSON, or each step that is followed as a line."
)
@click.pass_context
def feed(
    ctx: click.Context,
    *,
    after: int | None,
    limit: int,
    every: bool,
    states: tuple[str, ...],
    following: bool,
    as_json: bool,
) -> None:
    """List steps of all sessions in their one order, or see to the feed's consumers.

    With `--follow` nothing that was before is shown unless `--after` says from where on. It reads the store, once a
    second, and needs no service; exit 0 after Ctrl-C or SIGTERM.

    ```
    statekeeper feed --after 41 --all
    statekeeper feed --follow --all --json
    statekeeper feed consumers set warehouse start
    ```
    """
    if ctx.invoked_subcommand:
        return
    wanted = FeedFilter(terminal=not every, states=states)
    if following:
        _refuse_limit(ctx)
        follow(lambda head: head if after is None else after, wanted, show_json_line if as_json else _show_step)
        return
    page = ask(lambda queries: queries.feed.page(after or 0, wanted, limit))
    if as_json:
        show_json(page)
    else:
        _show_page(page)


@feed.group(invoke_without_command=True)
@store_flags
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def consumers(ctx: click.Context, *, as_json: bool) -> None:
    """List the consumers whose position is kept here, or change one.

    ```
    statekeeper feed consumers --json
    ```
    """
    if ctx.invoked_subcommand:
        return
    found = ask(lambda queries: queries.consumers.all())
    if as_json:
        show_json(found)
        return
    rows = [
        (each.name, each.transitions, each.position, each.lag, f"{each.seconds_behind:.1f}") for each in found.items
    ]
    show_table("Consumers", ("name", "transitions", "position", "lag", "seconds behind"), rows)
    show_line(f"The newest step is {found.head}.")


@consumers.command("set")
@store_flags
@click.argument("name")
@click.argument("position", type=Place())
@click.option("--transitions", type=click.Choice(["terminal", "all"]), help="Ends only, or every step.")
@click.option("--expected", type=click.IntRange(min=0), help="Only if it is there now.")
def place(*, name: str, position: int | None, transitions: str | None, expected: int | None) -> None:
    """Make a consumer, or move it: to a position, to the `start` or to the `end`.

    ```
    statekeeper feed consumers set warehouse start --transitions all
    statekeeper feed consumers set warehouse 42 --expected 41
    ```
    """
    terminal = None if transitions is None else transitions == "terminal"
    placement = Placement(consumer_name(name), position, terminal, expected)
    new = write(lambda connection, now: recorded.place_consumer(connection, placement, actor(), now))
    show_line(f"Consumer {name} has been {'made' if new else 'moved'}.")


@consumers.command()
@store_flags
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(*, name: str, yes: bool) -> None:
    """Forget a consumer; the feed stays as it is.

    ```
    statekeeper feed consumers delete warehouse --yes
    ```
    """
    consumer_name(name)
    if not yes:
        click.confirm(f"Forget the position of {name}?", abort=True)
    write(lambda connection, now: recorded.remove_consumer(connection, name, actor(), now))
    show_line(f"Consumer {name} is forgotten.")


def _refuse_limit(ctx: click.Context) -> None:
    if ctx.get_parameter_source("limit") is not ParameterSource.DEFAULT:
        raise click.UsageError("--follow has no end: give it or --limit.")


def _show_step(item: FeedItem) -> None:
    how = f"{item.source} → {item.state}  {item.trigger}, {item.cause}"
    show_line(f"{item.at}  {item.position}  {item.session_id}  {how}")


def _show_page(page: FeedPage) -> None:
    rows = [
        (each.position, each.session_id, each.ordinal, each.source, each.state, each.trigger, each.cause, each.at)
        for each in page.items
    ]
    columns = ("position", "session", "ordinal", "from", "state", "trigger", "cause", "at")
    show_table("Feed", columns, rows)
    show_line(f"More: --after {page.next_cursor}" if rows else f"Nothing behind {page.next_cursor} yet.")
