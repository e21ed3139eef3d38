"""The acts of `statekeeper endpoints`, on the store that the settings name, and their answers for a person to read."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import rich_click as click

from statekeeper.cli.flags import settings
from statekeeper.cli.screen import counted, show_json, show_line, show_table
from statekeeper.cli.store import execute, with_store
from statekeeper.delivery.administration import Administration
from statekeeper.delivery.handlers import load_handlers
from statekeeper.logs import silence
from statekeeper.resources import default_chart
from statekeeper.roster import Roster
from statekeeper.settings import Settings
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.queries.reader import Reader
from statekeeper.store.views import EndpointView, SecretEndpointView

T = TypeVar("T")


def administer(act: Callable[[Administration], Awaitable[T]], *, functions: bool = False) -> T:
    """Act on the store that the settings name; with `functions`, knowing the names that those have."""
    found = settings()
    names = (
        [each.subscriber.name for each in load_handlers(found.callbacks, default_chart().finals)] if functions else []
    )
    with silence("endpoint_not_opened"):  # the answer says so
        return with_store(lambda database: _administer(act, database, found, names))


async def _administer(
    act: Callable[[Administration], Awaitable[T]], database: Database, found: Settings, names: list[str]
) -> T:
    await schema.check(database)
    roster, reader = Roster(found), Reader(database.reader)
    directory = roster.directory()
    try:
        await directory.refresh(reader.read)
        parts = partial(execute, database), reader.read, roster.catalogue(names), directory
        return await act(Administration(*parts, found.delivery.timeout))
    finally:
        await roster.close()


def show_all(*, as_json: bool) -> None:
    view = administer(lambda acts: acts.overview())
    if as_json:
        show_json(view)
        return
    columns = ("name", "kind", "origin", "url", "transitions", "health", "pending", "dead")
    show_table("Endpoints", columns, map(_row, view.items))


def _row(view: EndpointView) -> tuple[object, ...]:
    url = view.url if view.usable else "(cannot be opened)"
    callbacks = view.callbacks
    return (
        view.name,
        view.kind,
        view.origin,
        url,
        view.transitions,
        view.health.state,
        callbacks.pending,
        callbacks.dead,
    )


def show_one(view: EndpointView, *, as_json: bool) -> None:
    if as_json:
        show_json(view)
        return
    health = view.health
    secrets = [f"one until {each.expires_at}" if each.expires_at else "one for good" for each in view.secrets]
    rows = (
        ("origin", f"{view.origin}, {view.kind}"),
        ("url", view.url if view.usable else "(cannot be opened)"),
        ("secrets", ", ".join(secrets)),
        ("transitions", view.transitions),
        *((name, ", ".join(getattr(view, name)) or "all") for name in ("states", "environments", "flows")),
        ("notices", ", ".join(view.notices)),
        ("concurrency", view.concurrency),
        ("rate", view.rate),
        ("health", health.state),
        (
            "why",
            health.disabled_reason or (counted(health.failures, "failure", "failures") if health.failures else None),
        ),
        ("pending", view.callbacks.pending),
        ("dead", view.callbacks.dead),
    )
    show_table(view.name, ("", ""), rows)


def show_secret(view: SecretEndpointView, *, as_json: bool) -> None:
    if as_json:
        show_json(view)
        return
    show_line(f"{view.name} is told at {view.url}. Its secret, which is not shown again:")
    click.echo(view.secret)
