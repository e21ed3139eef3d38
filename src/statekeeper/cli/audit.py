"""`statekeeper audit`: what people did, when, from where, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.kinds import ID, SINCE
from statekeeper.cli.screen import show_json, show_line, show_table
from statekeeper.cli.sessions import LIMIT
from statekeeper.cli.store import ask
from statekeeper.core.acts import Deed
from statekeeper.store.pages import DEFAULT_LIMIT
from statekeeper.store.queries.audit import AuditFilter
from statekeeper.store.views import AuditPage, AuditView

_COLUMNS: Final = ("at", "who", "role", "by", "from", "act", "on", "reason")


@click.command()
@store_flags
@click.option("--actor", metavar="NAME", help="Only what this person did.")
@click.option("--act", type=click.Choice([deed.value for deed in Deed]), help="Only acts of this kind.")
@click.option("--session", "session_id", type=ID, metavar="SESSION", help="Only what was done to this session.")
@click.option("--callback", "callback_id", type=ID, metavar="CALLBACK", help="Only what was done to this callback.")
@click.option("--subject", metavar="NAME", help="Only what was done to this endpoint, subscriber or consumer.")
@click.option("--since", type=SINCE, help="From then on: `30m`, `2h`, `3d`, or an RFC 3339 time.")
@click.option("--until", type=SINCE, help="Before then, said in the same way.")
@click.option("--limit", type=LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many at most.")
@click.option("--cursor", help="The nextCursor of an earlier list, to go on behind it.")
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def audit(
    *,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    limit: int,
    cursor: str | None,
    as_json: bool,
    **wanted: Any,  # noqa: ANN401 -- filters
) -> None:
    """List what people did, the newest first: by the console, over the API, at the command line.

    ```
    statekeeper audit --since 2h
    statekeeper audit --session fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e --json
    ```
    """
    asked = AuditFilter(since=_time(since), until=_time(until), **wanted)
    page = ask(lambda queries: queries.audit.page(asked, limit, cursor))
    if as_json:
        show_json(page)
    else:
        _show_page(page)


def _time(given: datetime | timedelta | None) -> datetime | None:
    return datetime.now(UTC) - given if isinstance(given, timedelta) else given


def _show_page(page: AuditPage) -> None:
    show_table("Audit trail", _COLUMNS, map(_row, page.items))
    if page.next_cursor:
        show_line(f"More: --cursor {page.next_cursor}")


def _row(entry: AuditView) -> tuple[object, ...]:
    subjects: tuple[UUID | str | None, ...] = (entry.callback_id, entry.session_id, entry.subject)
    on = next((each for each in subjects if each is not None), None)
    return (entry.at, entry.actor, entry.role, entry.via, entry.origin, entry.act, on, entry.reason)
