"""`statekeeper close-gap` and `note`: what support does to a session; first what it would come to, then for good."""

from uuid import UUID

import rich_click as click

from statekeeper.cli.acting import act_on
from statekeeper.cli.actors import actor
from statekeeper.cli.flags import store_flags, subscriber_flags
from statekeeper.cli.kinds import ID, REASON
from statekeeper.cli.screen import show_json, show_line
from statekeeper.core.acts import CloseGap, Note
from statekeeper.store.views import ActPlanView, GapView


@click.command("close-gap")
@subscriber_flags
@click.argument("session_id", metavar="SESSION", type=ID)
@click.option("--reason", type=REASON, help="Why, for the audit trail; a dry run needs none.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it; nothing is changed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def close_gap(*, session_id: UUID, reason: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Give up now on the numbers that a session waits for, as would happen when its time is over.

    Those are the numbers before its first held event; what waits behind another gap waits on. The functions that the
    service calls must be known here too (`--callbacks`), or they would not be told.

    ```
    statekeeper close-gap fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e --dry-run
    statekeeper close-gap fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e --reason "the provider says that it is lost"
    ```
    """
    if reason is None and not dry_run:
        raise click.UsageError("Say why: --reason TEXT.")
    plan = act_on(lambda acts: acts.plan(CloseGap(session_id)), functions=True)
    if dry_run:
        show_json(plan) if as_json else _show(plan)
        return
    if not yes:
        _show(plan, err=True)
        click.confirm("Close the gap?", abort=True, err=True)
    act = CloseGap(session_id, reason, tuple(plan.gap.given_up) if plan.gap else None)
    done = act_on(lambda acts: acts.perform(act, actor()), functions=True)
    show_json(done) if as_json else show_line(f"The gap of session {session_id} is closed.")


@click.command()
@store_flags
@click.argument("session_id", metavar="SESSION", type=ID)
@click.argument("text", metavar="TEXT", type=REASON)
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def note(*, session_id: UUID, text: str, as_json: bool) -> None:
    """Say something about a session, for whoever reads its story later.

    ```
    statekeeper note fe1941c2-6e44-4b7e-8f7c-0a8f7b0a9d3e "Called the customer, ticket 4711"
    ```
    """
    done = act_on(lambda acts: acts.perform(Note(session_id, text), actor()))
    show_json(done) if as_json else show_line(f"The note is with session {session_id}.")


def _show(plan: ActPlanView, *, err: bool = False) -> None:
    told = [f"told: {each.subscriber}, {each.state}" + (f", {each.url}" if each.url else "") for each in plan.callbacks]
    for line in (_gap_said(plan.gap) if plan.gap else []) + told:
        show_line(line, err=err)


def _gap_said(gap: GapView) -> list[str]:
    lines = [f"given up on: {', '.join(map(str, gap.given_up))}"]
    lines += [f"step: {each.source} to {each.target} by {each.trigger}, {each.cause}" for each in gap.steps]
    lines += [f"event: {each.sequence} {each.event_name} becomes {each.disposition}" for each in gap.events]
    lines.append(f"state: {gap.source}" if gap.source == gap.target else f"state: {gap.source}, then {gap.target}")
    return lines + ([f"held on: {', '.join(map(str, gap.held))}"] if gap.held else [])
