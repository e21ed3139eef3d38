"""What was wrong, and with what."""

from statekeeper.store.views.base import Instant, View


class FaultView(View, frozen=True):
    """What was wrong with one field."""

    field: str
    detail: str


class RefusalView(View, frozen=True):
    """A verified webhook that was no event, with the token that proves it: for the operator only."""

    at: Instant
    errors: list[FaultView]
    token: str
    key_thumbprint: str
