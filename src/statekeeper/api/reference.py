"""The OpenAPI 3.1 document, written from the operations, the views and the kinds of problems.

It is ours and not derived by Litestar: parameters are read strictly from the query and the webhook is a plain ASGI
handler, so that neither would show. Tests hold it to the routes that the app has and to the answers that it gives.
"""

from importlib.metadata import version
from typing import Final

import msgspec

from statekeeper.api.contract import Answer, Json, Operation
from statekeeper.api.operations import OPERATIONS
from statekeeper.api.problems import MEDIA_TYPE, Problem, ProblemView

_REF: Final = "#/components/schemas/{name}"
_TAGS: Final = {
    "Webhooks in": "What the provider sends.",
    "Sessions": "What has become of a session, and how.",
    "Callbacks": "What business code is told, and how it is sent again.",
    "Acts": "What people do to sessions, and the trail of all that people did.",
    "Endpoints": "Who is told over HTTP or by a broker, how that fares, and those that are made here.",
    "Feed": "Steps of all sessions in one order, for those who would rather ask than be told.",
    "Operation": "Health and figures.",
}
_ABOUT: Final = (
    "Statekeeper takes an identity provider's signed webhooks, puts them in order, and keeps the state of every session"
    " along a statechart. Refusals are problem details (RFC 9457). Times are RFC 3339 in UTC with milliseconds."
)
_TOKENS: Final = "Needed where tokens are configured: `reader` to read, `support` to act, `admin` to change endpoints."


def document() -> Json:
    """The whole of it, fit for JSON."""
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Statekeeper",
            "version": version("statekeeper"),
            "summary": "Verified webhooks in, ordered legal session states out.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": _TOKENS}},
        },
    }


def _schemas() -> Json:
    views = {type(answer.view) for each in OPERATIONS for answer in each.answers.values() if answer.view is not None}
    bodies = {type(each.takes.sample) for each in OPERATIONS if each.takes}
    _, schemas = msgspec.json.schema_components(sorted({*views, *bodies, ProblemView}, key=_name), ref_template=_REF)
    return schemas


def _name(view: type) -> str:
    return view.__name__


def _operation(operation: Operation) -> Json:
    answers = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    written: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": list(operation.parameters),
        "responses": answers | _problems(operation.problems),
        "security": [{"bearer": []}] if operation.protected else [],
    }
    return written | _body(operation)


def _body(operation: Operation) -> Json:
    if takes := operation.takes:
        schema = {"$ref": _REF.format(name=_name(type(takes.sample)))}
        content = {takes.media_type: _content(schema, msgspec.to_builtins(takes.sample))}
        return {"requestBody": {"required": takes.required, "content": content}}
    return {"requestBody": {"required": True, "content": operation.body}} if operation.body else {}


def _answer(answer: Answer) -> Json:
    written: Json = {"description": answer.description}
    if answer.view is not None:
        schema = {"$ref": _REF.format(name=_name(type(answer.view)))}
        written["content"] = {answer.media_type: _content(schema, msgspec.to_builtins(answer.view))}
    elif answer.text is not None:
        written["content"] = {answer.media_type: _content({"type": "string"}, answer.text)}
    if answer.headers:
        texts = answer.headers.items()
        written["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in texts}
    return written


def _problems(problems: tuple[Problem, ...]) -> Json:
    """The refusals by their status; several of one status are several examples."""
    written: Json = {}
    for problem in problems:
        title, schema = problem.kind.title, {"$ref": _REF.format(name=_name(ProblemView))}
        new = {"description": title, "content": {MEDIA_TYPE: {"schema": schema, "examples": {}}}}
        response = written.setdefault(str(problem.kind.status), new)
        examples = response["content"][MEDIA_TYPE]["examples"]
        examples[f"{title} {len(examples) + 1}"] = {"value": msgspec.to_builtins(problem.view)}
        for header in problem.headers:
            response.setdefault("headers", {})[header] = {"schema": {"type": "string"}}
    return written


def _content(schema: Json, sample: object) -> Json:
    return {"schema": schema, "examples": {"example": {"value": sample}}}
