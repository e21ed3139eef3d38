"""How an operation is described, for the reference: what it takes, what it answers, what it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from statekeeper.api.access import TOKEN_NEEDED, role_needed, role_too_low
from statekeeper.api.bodies import LIMIT, NO_JSON
from statekeeper.api.problems import Problem, problem_of
from statekeeper.core.errors import BodyRefused, Fault, NotJson, StatekeeperError, TooLarge, UnsupportedMediaType

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that is no refusal: a view as JSON, or a text of another media type, or no body."""

    description: str
    view: msgspec.Struct | None = None
    media_type: str = "application/json"
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Takes:
    """A body of JSON: what it must fit, by a sample, and a fault that a body may have."""

    sample: msgspec.Struct
    fault: Fault
    media_type: str = "application/json"
    required: bool = True

    @property
    def refusals(self) -> tuple[StatekeeperError, ...]:
        """Those of `bodies.read_json`."""
        return TooLarge(LIMIT), UnsupportedMediaType(NO_JSON), NotJson(), BodyRefused((self.fault,))


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. All but those that are not `protected` need a token where tokens are configured."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    refusals: tuple[StatekeeperError, ...] = ()
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    takes: Takes | None = None
    protected: bool = True

    @property
    def problems(self) -> tuple[Problem, ...]:
        refusals = (*self.refusals, *(self.takes.refusals if self.takes else ()))
        expected = tuple(problem for each in refusals if (problem := problem_of(each)))
        needed = role_needed(self.path, self.method.upper())
        return expected + ((TOKEN_NEEDED, role_too_low(needed)) if self.protected else ())


def in_query(name: str, description: str, schema: Json, sample: object) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": sample}


def in_path_as(name: str, description: str, schema: Json, sample: object) -> Json:
    return in_query(name, description, schema, sample) | {"in": "path", "required": True}


def in_path(name: str, sample: UUID) -> Json:
    schema = {"type": "string", "format": "uuid"}
    return in_path_as(name, "A UUID in its canonical form, in either case.", schema, str(sample))
