"""How people come in: as anybody on this machine, with a token pasted once, or by an OpenID provider."""

from dataclasses import dataclass, field
from typing import Any, Final, cast

from litestar.types import Scope

from statekeeper.api.access import AccessPolicy
from statekeeper.console.entrance.claims import Naming
from statekeeper.console.entrance.patience import Patience
from statekeeper.console.entrance.provider import Provider
from statekeeper.console.entrance.sign_ins import SignIns

_KEY: Final = "statekeeper.reception"


@dataclass(frozen=True, slots=True)
class Entrance:
    """The provider, what its claims say of people here, and the URL of the console that it sends them back to."""

    provider: Provider
    naming: Naming
    url: str


@dataclass(frozen=True, slots=True)
class Reception:
    """All that signing in takes. `url` is by what browsers reach the service, where that is configured."""

    access: AccessPolicy
    sign_ins: SignIns
    url: str | None = None
    entrance: Entrance | None = None
    patience: Patience = field(default_factory=Patience)


def install(scope: Scope, reception: Reception) -> None:
    """Let the handlers of this request find the reception."""
    cast("dict[str, Any]", scope)[_KEY] = reception


def reception(scope: Scope) -> Reception:
    return cast("Reception", cast("dict[str, Any]", scope)[_KEY])
