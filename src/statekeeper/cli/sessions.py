"""`statekeeper sessions` and `show`: sessions as support asks for them, straight from the store."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.kinds import ID, INSTANT
from statekeeper.cli.screen import Part, show_json, show_line, show_page, show_table
from statekeeper.cli.store import ask
from statekeeper.core.errors import NotFound
from statekeeper.resources import default_chart
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT
from statekeeper.store.queries import Queries
from statekeeper.store.queries.sessions import SessionFilter
from statekeeper.store.views import AttemptView, CallbackView, EventView, HistoryView, SessionPage, SessionView

ROOM: Final = 60
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


@click.command()
@store_flags
@click.argument("session_id", metavar="SESSION", type=ID)
@click.option("--json", "as_json", is_flag=True, help="Print the history document that the API answers with.")
def show(*, session_id: UUID, as_json: bool) -> None:
    """Show how a session came to be what it is: its steps, its events, its callbacks.

    ```
    statekeeper show fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e
    ```
    """

    async def look(queries: Queries) -> tuple[SessionView | None, HistoryView | None]:
        return await queries.sessions.find(session_id), await queries.histories.find(session_id)

    session, history = ask(look)
    if session is None or history is None:
        raise NotFound("session", session_id)
    if as_json:
        show_json(history)
    else:
        show_page(_summary(session), *_history(history))


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


def _summary(session: SessionView) -> Part:
    step = session.last_step
    rows = [
        ("state", session.state),
        ("environment", session.environment),
        ("flow", session.flow_id),
        ("last step", " ".join(part for part in (step.id, step.type, step.status) if part) if step else None),
        ("cursor", session.cursor),
        ("held", _numbers(session.held)),
        ("missing", _numbers(session.missing)),
        ("contiguous", "yes" if session.contiguous else "no"),
        ("chart", f"{session.chart.id} {session.chart.version}"),
        ("first seen", session.first_seen_at),
        ("changed", session.updated_at),
        ("ended", session.ended_at),
    ]
    return Part(f"Session {session.session_id}", ("", ""), rows)


def _history(history: HistoryView) -> Iterator[Part]:
    yield Part(
        "Steps",
        ("step", "from", "to", "trigger", "cause", "number", "at", "why"),
        [(s.ordinal, s.source, s.target, s.trigger, s.cause, s.sequence, s.at, s.reason) for s in history.transitions],
    )
    yield Part(
        "Events",
        ("number", "event", "id", "became", "status", "sent", "received", "deliveries"),
        map(_event, history.events),
    )
    yield Part(
        "Callbacks",
        ("callback", "subscriber", "state", "status", "receipt", "next attempt", "attempts"),
        map(_callback, history.callbacks),
    )


def _event(event: EventView) -> tuple[object, ...]:
    times = (event.sent_at, event.received_at, len(event.deliveries))
    return (event.sequence, event.event_name, event.event_id, event.disposition, event.session_status, *times)


def _callback(callback: CallbackView) -> tuple[object, ...]:
    attempts = "\n".join(map(_attempt, callback.attempts))
    who = (callback.callback_id, callback.subscriber, callback.state)
    return (*who, callback.status, callback.receipt, callback.next_attempt_at, attempts)


def _attempt(attempt: AttemptView) -> str:
    detail = f": {attempt.detail}" if attempt.detail else ""
    response = f" ({_beginning(attempt.response)})" if attempt.response else ""
    return f"{attempt.number} {attempt.outcome} {attempt.at} {attempt.duration_ms} ms{detail}{response}"


def _beginning(response: str) -> str:
    """The first line that says something, or so much of it as a table has room for."""
    line = next(iter(response.strip().splitlines()), "")
    return line if len(line) <= ROOM else f"{line[: ROOM - 1]}…"


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
