"""Who is told, and how that fares."""

from statekeeper.store.views.base import Instant, View


class SigningSecretView(View, frozen=True):
    """A secret that signs, without what it is; `expires_at` is None for one that signs until it is rotated out."""

    expires_at: Instant | None


class EndpointHealthView(View, frozen=True):
    """The circuit: `closed`, `open`, `half_open` or `disabled`, and what made it so."""

    state: str
    failures: int
    failing_since: Instant | None
    next_probe_at: Instant | None
    disabled_at: Instant | None
    disabled_reason: str | None


class OwedView(View, frozen=True):
    """How many callbacks wait, and how many are sent no more by themselves."""

    pending: int | None
    dead: int | None


class EndpointView(View, frozen=True):
    """One endpoint or broker; `usable` is False, and `url` None, for one whose sealed part opens with no key."""

    name: str
    kind: str
    origin: str
    usable: bool
    url: str | None
    secrets: list[SigningSecretView]
    transitions: str
    states: list[str]
    environments: list[str]
    flows: list[str]
    notices: list[str]
    concurrency: int
    rate: float | None
    health: EndpointHealthView
    callbacks: OwedView
    created_at: Instant | None
    updated_at: Instant | None


class SecretEndpointView(EndpointView, frozen=True):
    """An endpoint with the secret that it has just been given: shown this once."""

    secret: str


class EndpointsView(View, frozen=True):
    """All endpoints and brokers, by name."""

    items: list[EndpointView]


class PingView(View, frozen=True):
    """What came of a test message, and what was answered; it counts for nothing."""

    message_id: str
    outcome: str
    detail: str | None
    duration_ms: int
    response: str | None
