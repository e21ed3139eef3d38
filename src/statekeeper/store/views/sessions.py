"""A session as it stands, and what became of a webhook."""

from uuid import UUID

from statekeeper.store.views.base import Instant, View


class ChartView(View, frozen=True):
    """The chart that a session is pinned to."""

    id: str
    version: str


class LastStepView(View, frozen=True):
    """The last step that the customer's flow ran, as sent."""

    id: str | None
    type: str | None
    status: str | None


class SessionView(View, frozen=True):
    """One session as it stands."""

    session_id: UUID
    flow_id: str | None
    environment: str | None
    state: str
    terminal: bool
    cursor: int
    held: list[int]
    missing: list[int]
    contiguous: bool
    chart: ChartView
    last_step: LastStepView | None
    first_seen_at: Instant
    updated_at: Instant
    ended_at: Instant | None


class SessionPage(View, frozen=True):
    """Some sessions, the newest change first."""

    items: list[SessionView]
    next_cursor: str | None


class ReceiptView(View, frozen=True):
    """What became of a webhook, once it is on disk."""

    event_id: str
    session_id: UUID
    sequence: int
    disposition: str
    state: str
