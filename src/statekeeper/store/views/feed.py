"""The feed: steps of all sessions in one order, and those who read them."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from statekeeper.store.views.base import Instant, View
from statekeeper.store.views.sessions import LastStepView


class FeedItem(View, frozen=True, kw_only=True):
    """One step, as it will be shown for ever: no member of an item changes once it can be read.

    So an inferred step has no `event_id` and no `sequence`, whoever confirms it later; and what is the session's and
    not the step's, `flow_id` to `given_up`, stands in a terminal item only, where it says what a callback says.
    """

    type: str
    position: str
    session_id: UUID
    ordinal: int
    state: str
    source: str
    trigger: str
    cause: str
    event_id: str | None
    sequence: int | None
    at: Instant
    terminal: bool
    flow_id: str | UnsetType | None = UNSET
    environment: str | UnsetType | None = UNSET
    ended_at: Instant | UnsetType = UNSET
    last_step: LastStepView | UnsetType | None = UNSET
    sequences: list[int] | UnsetType = UNSET
    contiguous: bool | UnsetType = UNSET
    inferred: list[str] | UnsetType = UNSET
    given_up: list[int] | UnsetType = UNSET


class FeedPage(View, frozen=True):
    """Some items in the order of their positions; one that is empty and leads no further is at the feed's end."""

    items: list[FeedItem]
    next_cursor: str


class ConsumerView(View, frozen=True):
    """A named consumer: where it is, and how far that is behind, in items of its kind and in seconds."""

    name: str
    position: str
    transitions: str
    lag: int
    seconds_behind: float
    created_at: Instant
    updated_at: Instant


class ConsumerList(View, frozen=True):
    """All named consumers, and the position of the newest step."""

    items: list[ConsumerView]
    head: str
