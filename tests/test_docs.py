"""What the pages say and a machine can check: generated parts, links, examples."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from statekeeper.core.machine import Disposition
from statekeeper.resources import default_chart
from statekeeper.settings import Settings, require_serving

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_generated_parts_are_up_to_date(page, generate):
    text = page.read_text("utf-8")
    assert generate.render(text) == text, "run `make docs`"


def test_every_generated_part_stands_in_some_page(generate):
    named = {name for page in PAGES for name in re.findall(r"<!-- generated: (\w+) -->", page.read_text("utf-8"))}
    assert named == set(generate.PARTS)


def test_what_is_stale_between_markers_is_replaced_and_the_rest_is_kept(generate):
    page = "before\n<!-- generated: diagram -->\nstale\n<!-- end -->\nafter\n"
    written = generate.render(page)
    assert written.startswith("before\n<!-- generated: diagram -->\n```mermaid\n")
    assert written.endswith("```\n<!-- end -->\nafter\n")
    assert "stale" not in written


def test_the_readme_draws_the_chart_that_the_service_runs():
    assert blocks(ROOT / "README.md", "mermaid") == [default_chart().diagram()]


@each_page
def test_every_relative_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme():
    linked = {(ROOT / link).resolve() for link in LINK.findall((ROOT / "README.md").read_text("utf-8"))}
    assert set(PAGES[1:]) <= linked


@each_page
def test_every_python_example_compiles(page):
    for block in blocks(page, "python"):
        ast.parse(block, page.name)


def test_the_readme_has_a_python_example():
    assert blocks(ROOT / "README.md", "python")


@each_page
def test_every_toml_example_is_made_of_settings(page):
    for block in blocks(page, "toml"):
        Settings(**tomllib.loads(block))


def test_the_file_with_everything_can_be_served_with():
    (everything,) = [each for each in blocks(ROOT / "docs/reference/settings.md", "toml") if "database_url" in each]
    require_serving(Settings(**tomllib.loads(everything)))


def test_every_disposition_is_explained():
    page = (ROOT / "docs/reference/dispositions.md").read_text("utf-8")
    for disposition in Disposition:
        assert f"\n| `{disposition}` |" in page


def test_the_storeys_are_those_that_imports_are_held_to():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = {name for layer in contracts[0]["layers"] for name in layer.split(" : ")}
    table = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Storeys")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == layers
