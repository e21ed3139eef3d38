"""How an operation is described, for the reference: what it takes, what it answers, what it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from statekeeper.api.access import TOKEN_NEEDED, role_needed, role_too_low
from statekeeper.api.problems import Problem, problem_of
from statekeeper.core.errors import StatekeeperError

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
    """A body of JSON: what it must fit, by a sample."""

    sample: msgspec.Struct
    media_type: str = "application/json"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `protected` operations need a token where tokens are configured."""

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
    protected: bool = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        expected = tuple(problem for each in self.refusals if (problem := problem_of(each)))
        needed = role_needed(self.path, self.method.upper())
        return expected + ((TOKEN_NEEDED, role_too_low(needed)) if self.protected else ())


def in_query(name: str, description: str, schema: Json, sample: object) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": sample}


def in_path_as(name: str, description: str, schema: Json, sample: object) -> Json:
    return in_query(name, description, schema, sample) | {"in": "path", "required": True}


def in_path(name: str, sample: object) -> Json:
    description = "A UUID in its canonical form, in either case."
    schema = {"type": "string", "format": "uuid"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": sample,
    }
