"""Why a session stands as it does, in English sentences."""

from uuid import UUID

from statekeeper.store.views.base import View


class EventWhyView(View, frozen=True):
    """Why one event became what it is, and how often it was delivered again."""

    event_id: str
    sequence: int
    disposition: str
    text: str


class CallbackWhyView(View, frozen=True):
    """Why one callback is where it is."""

    callback_id: UUID
    subscriber: str
    status: str
    text: str


class WhyView(View, frozen=True):
    """One or two sentences about the session, one for each event in order of arrival, one for each callback."""

    session_id: UUID
    state: str
    summary: list[str]
    events: list[EventWhyView]
    callbacks: list[CallbackWhyView]
