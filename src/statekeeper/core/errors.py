"""Every exception of the package, sorted by whose fault it is.

StatekeeperError
├── WebhookRefused                     the sender's fault: the answer is 4xx, and nothing has changed
│   ├── TooLarge                         413
│   ├── UnsupportedMediaType             415
│   ├── NotAToken                        400
│   ├── NotVerified(reason, kid)         401
│   └── NotAnEvent(faults)               422
├── QueryRefused(field, detail)        the client's: 400
├── NotJson                            the client's: 400
├── BodyRefused(faults)                the client's: 422
├── NotFound(what, key)                the client's: 404
├── AlreadyDelivered(callback_id)      the client's: 409
├── NotDelivered(callback_id)          the client's: 409
├── NothingHeld(session_id)            the client's: 409
├── GapMoved(session_id)               the client's: 409
├── CallbackMoved(callback_id)         the client's: 409
├── NameTaken(name)                    the client's: 409
│   └── NotYetFree(name)                 the client's, and passing
├── EndpointChanged(name)              the client's: 409
├── InSettings(name)                   the client's: 409
├── NoEncryptionKey                    the operator's: 409
├── CannotBeOpened(name)               the operator's: 409
├── RecoveryUnderWay(recovery_id)      the client's: 409
├── PositionMoved(consumer)            the client's: 409
├── TooManyConsumers(limit)            the client's: 409
├── TooManyEndpoints(limit)            the client's: 409
├── CannotBegin                        what a command needs is taken or not there: exit 1
├── Unavailable(what, retry_after)     ours or the issuer's, and passing: 503
└── OperatorError                      the operator's: the start is refused, exit 2
    ├── StatechartError(faults)
    ├── SettingsError(faults)
    └── SchemaError

No message repeats a token, a part of one or a value from one: messages end in logs and in answers to strangers.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID


class StatekeeperError(Exception):
    """The root: catch it to catch all that this package raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field, fit to be shown: `field` is a dotted path, `detail` a sentence without values."""

    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


class WebhookRefused(StatekeeperError):
    """The sender's fault. `reason` is a word for metrics, the message a sentence for the sender."""

    status: int = 400
    title: str = "Webhook refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason: Final = reason


class TooLarge(WebhookRefused):
    """The body is larger than it can be."""

    status = 413
    title = "Body too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.", reason="too_large")


class UnsupportedMediaType(WebhookRefused):
    """The body is not declared to be what it must be, or is encoded."""

    status = 415
    title = "Unsupported media type"

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="media_type")


class NotAToken(WebhookRefused):
    """The body is not a compact JWT."""

    status = 400
    title = "Not a compact JWT"

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="not_a_token")


class NotVerified(WebhookRefused):
    """The token is a JWT, but not one to believe. `kid` is for the operator's log, never for the answer."""

    status = 401
    title = "Not verified"

    def __init__(self, message: str, *, reason: str, kid: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.kid: Final = kid


class NotAnEvent(WebhookRefused):
    """The token is verified, but what it carries is not an event. `faults` names every field that is wrong."""

    status = 422
    title = "Not an event"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("The token is verified, but its data is not a session event.", reason="not_an_event")
        self.faults: Final = faults


class QueryRefused(StatekeeperError):
    """A query's parameter is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.fault: Final = Fault(field, detail)


class NotJson(StatekeeperError):
    """A body that is no JSON."""

    def __init__(self) -> None:
        super().__init__("The body is not JSON.")


class BodyRefused(StatekeeperError):
    """A body that is JSON, but does not fit. `faults` names every field that is wrong."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("The body does not fit: " + "; ".join(map(str, faults)))
        self.faults: Final = faults


class NotFound(StatekeeperError):
    """Nothing is known under this key."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"No {what} {key} is known.")


class AlreadyDelivered(StatekeeperError):
    """A delivered callback is not sent again."""

    def __init__(self, callback_id: object) -> None:
        super().__init__(f"Callback {callback_id} has been delivered; there is nothing to retry.")


class NotDelivered(StatekeeperError):
    """What has not been delivered is retried, not sent once more."""

    def __init__(self, callback_id: object) -> None:
        super().__init__(f"Callback {callback_id} has not been delivered; it can be retried.")


class NothingHeld(StatekeeperError):
    """There is a gap only where an event waits behind one."""

    def __init__(self, session_id: object) -> None:
        super().__init__(f"Session {session_id} has no gap to close: no event is held.")


class GapMoved(StatekeeperError):
    """A session's first gap is no longer the one that was looked at."""

    def __init__(self, session_id: object) -> None:
        super().__init__(f"Session {session_id} waits for other numbers than those expected; look at it again.")


class CallbackMoved(StatekeeperError):
    """A callback is no longer as it was looked at: it was sent since, or somebody has had it sent."""

    def __init__(self, callback_id: object) -> None:
        super().__init__(f"Callback {callback_id} is no longer as expected; look at it again.")


class NameTaken(StatekeeperError):
    """Subscribers are told apart by their names."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The name {name} is taken by another subscriber.")


class NotYetFree(NameTaken):
    """A deleted endpoint holds its name until all that it was owed is dead, so that none of it goes to the next."""

    def __init__(self, name: str) -> None:
        StatekeeperError.__init__(
            self, f"The endpoint {name} has just been deleted, and its name is not free yet: try again in some seconds."
        )


class EndpointChanged(StatekeeperError):
    """An endpoint is no longer the one that was looked at: somebody else has changed it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The endpoint {name} has changed meanwhile; look at it again.")


class InSettings(StatekeeperError):
    """What stands in the settings is changed there and nowhere else."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} stands in the settings: change it there, and start the service anew.")


class NoEncryptionKey(StatekeeperError):
    """Without a key nothing secret is put into the store."""

    def __init__(self) -> None:
        super().__init__(
            "No encryption key is configured: set encryption_keys to one that `statekeeper endpoints new-key` prints."
        )


class CannotBeOpened(StatekeeperError):
    """The key that an endpoint was sealed with is not among those configured."""

    def __init__(self, name: str) -> None:
        super().__init__(f"What is sealed of {name} opens with none of encryption_keys: restore its key, or delete it.")


class RecoveryUnderWay(StatekeeperError):
    """Of one kind and subscriber there is one recovery at a time."""

    def __init__(self, recovery_id: UUID) -> None:
        super().__init__(f"Recovery {recovery_id} of this kind and subscriber is under way; it must end first.")
        self.recovery_id: Final = recovery_id


class PositionMoved(StatekeeperError):
    """A consumer of the feed is no longer where it was expected to be: somebody else has moved it."""

    def __init__(self, consumer: str) -> None:
        super().__init__(f"Consumer {consumer} is not at the position expected; read it again.")


class TooManyConsumers(StatekeeperError):
    """No more consumers of the feed can have a name here."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} consumers, which is all that can be; delete one first.")


class TooManyEndpoints(StatekeeperError):
    """No more endpoints can be kept in the store: each costs every claim a look-up."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} endpoints in the store, which is all that can be; delete one first.")


class Unavailable(StatekeeperError):
    """Ours or the issuer's fault, and passing. `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, reason: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.retry_after: Final = retry_after


class CannotBegin(StatekeeperError):
    """What a command needs is taken by another, or is not there."""


class OperatorError(StatekeeperError):
    """The operator's fault: the start is refused with this message, exit 2."""


class StatechartError(OperatorError):
    """A chart document that is no chart. `faults` names every one of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("The statechart is not valid:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults: Final = faults


class SettingsError(OperatorError):
    """Settings that cannot be served with; one line per fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults: Final = faults


class SchemaError(OperatorError):
    """The store's schema is not this program's; the message says which command to run."""
