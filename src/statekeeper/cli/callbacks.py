"""`statekeeper callbacks`: what is owed to whom, and the acts of support."""

from typing import Final
from uuid import UUID

import rich_click as click

from statekeeper.cli.acting import act_on
from statekeeper.cli.actors import actor
from statekeeper.cli.flags import store_flags
from statekeeper.cli.kinds import ID, REASON
from statekeeper.cli.recoveries import backfill, recover
from statekeeper.cli.screen import counted, show_json, show_line, show_table
from statekeeper.cli.sessions import LIMIT
from statekeeper.cli.store import ask
from statekeeper.core.acts import Resend, Retry
from statekeeper.store.act_plans import retry_plan
from statekeeper.store.pages import DEFAULT_LIMIT
from statekeeper.store.queries.callbacks import CallbackFilter
from statekeeper.store.views import ActPlanView, AuditView, CallbackPage, RetryView

_STATUSES: Final = click.Choice(["pending", "delivered", "dead"])


@click.group(invoke_without_command=True)
@store_flags
@click.option("--status", "statuses", type=_STATUSES, multiple=True, help="Only those of this status; repeatable.")
@click.option("--subscriber", help="Only those of this endpoint, broker or function.")
@click.option("--limit", type=LIMIT, default=DEFAULT_LIMIT, show_default=True, help="How many at most.")
@click.option("--cursor", help="The nextCursor of an earlier list, to go on behind it.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def callbacks(
    ctx: click.Context,
    *,
    statuses: tuple[str, ...],
    subscriber: str | None,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List callbacks, the newest first, or send one again.

    ```
    statekeeper callbacks --status dead --subscriber crm
    statekeeper callbacks retry 6ba7b810-9dad-51d1-80b4-00c04fd430c8
    statekeeper callbacks resend 6ba7b810-9dad-51d1-80b4-00c04fd430c8 --reason "lost by the CRM"
    statekeeper callbacks recover crm --since 2h
    statekeeper callbacks backfill crm --since 3d
    ```
    """
    if ctx.invoked_subcommand:
        return
    page = ask(lambda queries: queries.callbacks.page(CallbackFilter(statuses, subscriber), limit, cursor))
    if as_json:
        show_json(page)
    else:
        _show_page(page)


@callbacks.command()
@store_flags
@click.argument("callback_id", metavar="CALLBACK", type=ID)
@click.option("--reason", type=REASON, help="Why, for the audit trail.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent again; nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def retry(*, callback_id: UUID, reason: str | None, dry_run: bool, as_json: bool) -> None:
    """Make a callback due at once, with a fresh schedule; a service that runs sends it within 2 s.

    ```
    statekeeper callbacks retry 6ba7b810-9dad-51d1-80b4-00c04fd430c8
    ```
    """
    act = Retry(callback_id, reason)
    if dry_run:
        plan = act_on(lambda acts: acts.plan(act))
        show_json(retry_plan(plan)) if as_json else _show_plan(plan, "a retry")
    else:
        _show_due(callback_id, act_on(lambda acts: acts.perform(act, actor())), as_json=as_json)


@callbacks.command()
@store_flags
@click.argument("callback_id", metavar="CALLBACK", type=ID)
@click.option("--reason", type=REASON, required=True, help="Why, for the audit trail.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent once more; nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with.")
def resend(*, callback_id: UUID, reason: str, dry_run: bool, as_json: bool) -> None:
    """Send a delivered callback once more, under the same id, so that its receiver can tell.

    ```
    statekeeper callbacks resend 6ba7b810-9dad-51d1-80b4-00c04fd430c8 --reason "lost by the CRM"
    ```
    """
    act = Resend(callback_id, reason)
    if dry_run:
        plan = act_on(lambda acts: acts.plan(act))
        show_json(plan) if as_json else _show_plan(plan, "to send it once more")
    else:
        _show_due(callback_id, act_on(lambda acts: acts.perform(act, actor())), as_json=as_json)


callbacks.add_command(recover)
callbacks.add_command(backfill)


def _show_plan(plan: ActPlanView, act: str) -> None:
    (callback,) = plan.callbacks
    made = f"{callback.status} after {counted(callback.attempts, 'attempt', 'attempts')}"
    show_line(f"Callback {callback.callback_id} for {callback.subscriber} is {made}; {act} makes it due at once.")


def _show_due(callback_id: UUID, done: AuditView, *, as_json: bool) -> None:
    if as_json:
        show_json(RetryView(callback_id, "pending", done.at))
    else:
        show_line(f"Callback {callback_id} is due now.")


def _show_page(page: CallbackPage) -> None:
    rows = [
        (
            each.callback_id,
            each.session_id,
            each.subscriber,
            each.state,
            each.status,
            each.receipt,
            len(each.attempts),
            each.next_attempt_at,
        )
        for each in page.items
    ]
    columns = ("callback", "session", "subscriber", "state", "status", "receipt", "attempts", "next attempt")
    show_table("Callbacks", columns, rows)
    if page.next_cursor:
        show_line(f"More: --cursor {page.next_cursor}")
