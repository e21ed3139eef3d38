"""The reference: complete, true to what is served, and loaded from nowhere else."""

import json
import re
from importlib.resources import files

import msgspec
import pytest

import forge
from statekeeper.api.docs import SCRIPT
from statekeeper.api.operations import OPERATIONS
from statekeeper.api.reference import document

DOCUMENT = document()


async def test_the_page_loads_nothing_from_another_host(bare):
    page = await bare.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"(?:https?:)?//[a-z]", page.text, re.IGNORECASE)
    assert re.findall(r'(?:src|href|spec-url)="([^"]*)"', page.text) == [
        "data:,",
        f"/docs/{SCRIPT}",
        "/docs/openapi.json",
        "/docs/openapi.json",
    ]
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert not [host for sources in policy.values() for host in re.findall(r"https?:|\*", sources)]


async def test_the_script_is_served_by_ourselves_with_its_licence_beside_it(bare):
    script = await bare.get(f"/docs/{SCRIPT}")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in script.headers["cache-control"]
    assert "RapiDoc" in script.text[:200]
    static = files("statekeeper.api") / "static"
    assert "MIT License" in (static / "rapidoc-LICENSE.txt").read_text()
    assert (static / f"{SCRIPT}.LICENSE.txt").is_file()


async def test_the_document_is_served_as_json(bare):
    answer = await bare.get("/docs/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(json.dumps(DOCUMENT))
    assert DOCUMENT["openapi"].startswith("3.1")


async def test_the_document_has_every_route_of_the_app_and_no_other(bare):
    methods = {
        (re.sub(r"_(\w)", lambda match: match[1].upper(), route.path_format), method.lower())
        for route in bare.app.routes
        for method in route.methods or {"POST"}
        if method != "OPTIONS" and not route.path.startswith("/docs")
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == methods


def test_every_operation_has_an_example_of_every_answer_that_has_a_body():
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert operation["description"]
            for status, response in operation["responses"].items():
                for content in response.get("content", {}).values():
                    assert all("value" in each for each in content["examples"].values())
                assert "content" in response or status in {"204", "304"}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert content["examples"]


def test_every_reference_in_the_document_leads_somewhere():
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert references <= set(DOCUMENT["components"]["schemas"])


def test_whatever_needs_a_token_says_so():
    open_to_all = {each.name for each in OPERATIONS if not each.protected}
    assert open_to_all == {"receiveWebhook", "getLiveness", "getReadiness"}
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            protected = operation["operationId"] not in open_to_all
            assert operation["security"] == ([{"bearer": []}] if protected else [])
            assert ("403" in operation["responses"]) == protected


def shape(value):
    """The names in a document, without its values; of a list, those of its first item."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.parametrize("name", ["getSession", "listSessions", "getLiveness", "getReadiness"])
async def test_an_answer_has_the_shape_of_its_example(http, name):
    for event in forge.story(1):
        await http.webhook(event)
    (operation,) = (each for each in OPERATIONS if each.name == name)
    session = forge.story(1)[0]["payload"]["sessionId"]
    answer = await http.get(operation.path.replace("{sessionId}", session))
    assert shape(answer.json()) == shape(msgspec.to_builtins(operation.answers[200].view))
