"""What an act would do, said before it is done; the audit trail keeps the same afterwards."""

from uuid import UUID

from statekeeper.store.views.base import View


class PlannedStepView(View, frozen=True):
    """One step that would be taken; `cause` is `inferred` where no event bears it."""

    source: str
    target: str
    trigger: str
    cause: str
    sequence: int | None


class SettledEventView(View, frozen=True):
    """One event that is held, and what would become of it."""

    event_id: str
    event_name: str
    sequence: int
    disposition: str


class PlannedCallbackView(View, frozen=True):
    """One callback that would go out: to whom, and where to, as far as that is not secret; a function has no `url`.

    `state` is what it tells of: a session's state, or the type of a notice. `status` and `attempts` are as they are
    before the act; `new` is one that only the act would make.
    """

    callback_id: UUID
    subscriber: str
    state: str
    status: str
    attempts: int
    url: str | None = None


class GapView(View, frozen=True):
    """A gap, closed: the numbers given up on, the steps, the events let through, and the numbers that wait on."""

    source: str
    target: str
    given_up: list[int]
    steps: list[PlannedStepView]
    events: list[SettledEventView]
    held: list[int]


class ActPlanView(View, frozen=True):
    """What an act would do, and all that would go out for it. Nothing has been changed."""

    act: str
    session_id: UUID | None
    callback_id: UUID | None
    gap: GapView | None
    callbacks: list[PlannedCallbackView]
    dry_run: bool
