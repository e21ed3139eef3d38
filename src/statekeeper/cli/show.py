"""`statekeeper show`: a session as it is, and one timeline of how it came to be so, straight from the store."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar
from uuid import UUID

import rich_click as click

from statekeeper.cli.flags import store_flags
from statekeeper.cli.kinds import ID
from statekeeper.cli.screen import Coloured, Part, counted, show_json, show_page
from statekeeper.cli.store import ask
from statekeeper.core.errors import NotFound
from statekeeper.core.events import LastStep
from statekeeper.core.instants import rfc3339
from statekeeper.explanation.case import Case, CaseAct, CaseAttempt, CaseCallback, CaseEvent
from statekeeper.explanation.timeline import Kind, Moment, Tone, timeline

T = TypeVar("T")
ROOM: Final = 60
COLOURS: Final = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.WAITING: "yellow", Tone.BAD: "red"}


@click.command()
@store_flags
@click.argument("session_id", metavar="SESSION", type=ID)
@click.option("--json", "as_json", is_flag=True, help="Print the history document that the API answers with.")
def show(*, session_id: UUID, as_json: bool) -> None:
    """Show how a session came to be what it is: all that befell it, the oldest first.

    ```
    statekeeper show fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e
    ```
    """
    if as_json:
        show_json(_known(session_id, ask(lambda queries: queries.histories.find(session_id))))
    else:
        case = _known(session_id, ask(lambda queries: queries.cases.find(session_id)))
        show_page(_summary(case), _timeline(case))


def _known(session_id: UUID, found: T | None) -> T:
    if found is None:
        raise NotFound("session", session_id)
    return found


def _summary(case: Case) -> Part:
    rows = [
        ("state", case.state),
        ("environment", case.environment),
        ("flow", case.flow_id),
        ("last step", _step(case.last_step)),
        ("cursor", case.cursor),
        ("held", _numbers(case.held)),
        ("missing", _numbers(case.missing)),
        ("contiguous", "yes" if case.contiguous else "no"),
        ("chart", f"{case.chart.id} {case.chart.version}"),
        ("first seen", rfc3339(case.first_seen_at)),
        ("changed", rfc3339(case.updated_at)),
        ("ended", rfc3339(case.ended_at) if case.ended_at else None),
    ]
    return Part(f"Session {case.session_id}", ("", ""), rows)


def _timeline(case: Case) -> Part:
    rows = [
        (rfc3339(moment.at), Coloured(str(moment.what), COLOURS[moment.tone]), _detail(moment), _id(moment))
        for moment in timeline(case)
    ]
    return Part("Timeline", ("time", "what happened", "detail", "id"), rows)


def _id(moment: Moment) -> object:
    """The id that is asked for next: an event's once, where it arrived, and a callback's where it was owed."""
    if moment.kind is Kind.ARRIVAL and moment.event:
        return moment.event.event_id
    return moment.callback.callback_id if moment.kind is Kind.CALLBACK and moment.callback else None


def _detail(moment: Moment) -> str:
    """What is not said in the sentence already."""
    if moment.attempt:
        return ", ".join(_of_attempt(moment.attempt))
    if moment.act:
        return ", ".join(_of_act(moment.act))
    if moment.callback:
        return ", ".join(_of_callback(moment.callback))
    return ", ".join(_of_event(moment.event)) if moment.event and moment.kind is Kind.ARRIVAL else ""


def _of_event(event: CaseEvent) -> Iterator[str]:
    yield event.disposition
    if event.session_status:
        yield f"status {event.session_status}"
    if event.sent_at:
        yield f"sent {rfc3339(event.sent_at)}"
    if event.repeats:
        last = rfc3339(event.repeats[-1].received_at)
        yield f"came again {counted(len(event.repeats), 'time', 'times')}, last {last}"


def _of_callback(callback: CaseCallback) -> Iterator[str]:
    yield callback.status
    if callback.receipt:
        yield f"receipt {callback.receipt}"
    if callback.due_at:
        yield f"next attempt {rfc3339(callback.due_at)}"


def _of_attempt(attempt: CaseAttempt) -> Iterator[str]:
    yield f"{attempt.duration_ms} ms"
    if attempt.response:
        yield f"answered: {_beginning(attempt.response)}"


def _of_act(act: CaseAct) -> Iterator[str]:
    yield f"as {act.role}"
    yield f"by {act.via}"
    if act.origin:
        yield f"from {act.origin}"


def _beginning(response: str) -> str:
    """The first line that says something, or so much of it as a table has room for."""
    line = next(iter(response.strip().splitlines()), "")
    return line if len(line) <= ROOM else f"{line[: ROOM - 1]}…"


def _step(step: LastStep | None) -> str | None:
    return " ".join(part for part in (step.id, step.type, step.status) if part) if step else None


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
