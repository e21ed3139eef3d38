"""Who wants to know, and what: an endpoint or a broker by its name, a function by its `module:name`.

Filters are over what a session is, `scope` over which of its steps are told of, `notices` over what befalls the
callbacks themselves. A filter never fits what no event has said; that is `unknown`, and told to the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from statekeeper.core.snapshot import Origin

NOTICES: Final = ("callback.dead", "endpoint.disabled", "endpoint.recovered", "session.gap_closed")


class Match(StrEnum):
    """Whether a subscriber's filters fit; `unknown` if one asks for what no event has said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Which steps of a session are told of; all of them are told in the session's order."""

    TERMINAL = "terminal"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who wants to know. An empty filter fits everything; `notices` are the types of notices asked for."""

    name: str
    states: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    flows: frozenset[str] = frozenset()
    scope: Scope = Scope.TERMINAL
    notices: frozenset[str] = frozenset()

    @classmethod
    def wanting(cls, name: str, options: Mapping[str, Any]) -> Self:
        """By the options that settings, API and store name alike; what is not among them is as it comes."""
        states, environments, flows, notices = (
            frozenset(options.get(each) or ()) for each in ("states", "environments", "flows", "notices")
        )
        return cls(name, states, environments, flows, Scope(options.get("transitions") or Scope.TERMINAL), notices)

    @property
    def ordered(self) -> bool:
        """Whether its callbacks of one session go out one behind the other."""
        return self.scope is Scope.ALL

    def match(self, state: str, origin: Origin, *, final: bool = True) -> Match:
        """Whether it is to be told of a step into `state`."""
        if self.scope is Scope.NONE or (self.scope is Scope.TERMINAL and not final):
            return Match.NO
        if self.states and state not in self.states:
            return Match.NO
        if not (self.environments or self.flows):
            return Match.YES
        filters = ((self.environments, origin.environment), (self.flows, origin.flow_id))
        if any(wanted and said is not None and said not in wanted for wanted, said in filters):
            return Match.NO
        return Match.UNKNOWN if any(wanted and said is None for wanted, said in filters) else Match.YES
