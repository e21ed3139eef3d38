"""What acts come to, as views: the same of one that is only planned and of one that is done."""

from typing import Any

import msgspec

from statekeeper.core.acts import CloseGap, Deed, Note, Resend, Retry
from statekeeper.core.closing import Closing
from statekeeper.store.views import (
    ActPlanView,
    GapView,
    PlannedCallbackView,
    PlannedStepView,
    RetryPlanView,
    SettledEventView,
)


def callback_plan(act: Retry | Resend, row: Any) -> ActPlanView:  # noqa: ANN401 -- a row has no type
    """Of a callback, by its row as it was before; a notice is of no session."""
    return ActPlanView(
        act=act.deed.value,
        session_id=row.session_id if row.ordinal else None,
        callback_id=row.callback_id,
        gap=None,
        callbacks=[PlannedCallbackView(row.callback_id, row.subscriber, row.state, row.status, row.attempt)],
        dry_run=True,
    )


def gap_plan(act: CloseGap, closing: Closing) -> ActPlanView:
    return ActPlanView(
        act=act.deed.value,
        session_id=act.session_id,
        callback_id=None,
        gap=_gap_view(closing),
        callbacks=_callbacks(closing),
        dry_run=True,
    )


def note_plan(act: Note) -> ActPlanView:
    return ActPlanView(act.deed.value, act.session_id, None, None, [], dry_run=True)


def retry_plan(plan: ActPlanView) -> RetryPlanView:
    """The plan of a retry, in the words that it has always had."""
    (callback,) = plan.callbacks
    return RetryPlanView(
        callback.callback_id, callback.subscriber, callback.status, callback.attempts, dry_run=plan.dry_run
    )


def effect(plan: ActPlanView) -> dict[str, Any]:
    """What the trail keeps of a plan that was carried out, beside what an entry says of itself."""
    callbacks = [
        {name: value for name, value in msgspec.to_builtins(each).items() if name != "url"} for each in plan.callbacks
    ]
    gap = msgspec.to_builtins(plan.gap) if plan.gap else {}
    return gap | ({} if plan.act == Deed.NOTE else {"callbacks": callbacks})


def _gap_view(closing: Closing) -> GapView:
    return GapView(
        source=closing.source,
        target=closing.target,
        given_up=list(closing.given_up),
        steps=[
            PlannedStepView(
                step.source, step.target, step.trigger, step.cause, step.event.sequence if step.event else None
            )
            for step in closing.steps
        ],
        events=[
            SettledEventView(event.event_id, event.name, event.sequence, disposition)
            for event, disposition in closing.settled
        ],
        held=list(closing.held),
    )


def _callbacks(closing: Closing) -> list[PlannedCallbackView]:
    """The callbacks of the steps, in their order, and behind them the notices of the gap."""
    of_steps = ((each.ended.callback_id, each.subscriber, each.ended.state) for each in closing.callbacks)
    notices = ((each.message_id, each.subscriber, each.notice.type) for each in closing.messages)
    return [PlannedCallbackView(*each, "new", 0) for each in (*of_steps, *notices)]
