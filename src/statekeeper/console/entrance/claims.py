"""What an OpenID provider's claims say of somebody: how he is called, and what he may do here. Pure.

A claim is found by its whole name first, since some providers write a URL there, and else by the path that its dots
make (`realm_access.roles`). Of several roles the highest counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statekeeper.api.access import Role
from statekeeper.core.events import storable

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Naming:
    """Which claim has the roles, which values of it give one, and which claim has the name."""

    roles_claim: str
    values: Mapping[Role, frozenset[str]]
    name_claim: str

    def role_of(self, claims: Claims) -> Role | None:
        """The highest role that these claims give, if they give any."""
        had = _texts(find_claim(claims, self.roles_claim))
        return max((role for role, values in self.values.items() if values & had), default=None)

    def name_of(self, claims: Claims) -> str:
        """What somebody is called: by the claim configured, else by his address, else by the provider's own id."""
        candidates = (find_claim(claims, name) for name in (self.name_claim, "email", "sub"))
        return next(name for each in candidates if (name := storable(each)))

    @property
    def accepted(self) -> str:
        """The values that would give a role, for whoever has none of them."""
        return ", ".join(sorted(frozenset[str]().union(*self.values.values())))


def account_of(claims: Claims) -> dict[str, str]:
    """Which account at which provider this is: the two claims that no other has together (Core, section 5.7)."""
    return {"iss": claims["iss"], "sub": claims["sub"]}


def find_claim(claims: Claims, path: str) -> Any:  # noqa: ANN401 -- what JSON can hold
    """The claim of this name, or at this path; None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
