"""A real Chromium, headless, and the pages it opens. The browser is the machine's own: Debian's package `chromium`.

`visit(service)` opens a page of a visitor of their own: own cookies, and whatever else is given (`locale`, `viewport`,
`color_scheme`, …). No page may ask another host for anything, run into an error of a script, or break its own content
security policy: each is checked when the test ends, unless the page is not `watched`, since somebody attacks it.

`house` is one for all tests of a process: to start it takes longer than most of them.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from house import House, open_house
from serving import Serving

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=FLAGS) as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(service: Serving, *, host: str = "127.0.0.1", watched: bool = True, **wishes) -> Page:
            context = chromium.new_context(base_url=f"http://{host}:{service.port}", **wishes)
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            if watched:
                _watch(page, complaints)
            return page

        yield open_page
    assert complaints == []


def _watch(page: Page, complaints: list[str]) -> None:
    """Note what no page may do; a status that is refused is no fault of a page."""
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on(
        "console",
        lambda said: said.type == "error" and " status " not in said.text and complaints.append(f"said: {said.text}"),
    )
    page.on(
        "request",
        lambda asked: (
            asked.url.startswith("http")
            and "//127.0.0.1:" not in asked.url
            and "//localhost:" not in asked.url
            and complaints.append(f"asked elsewhere: {asked.url}")
        ),
    )


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture
def enter(house: House, visit: Visit) -> Callable[..., Page]:
    """Opens a page of somebody who is signed in to the house, by their role."""
    return lambda role, **wishes: house.let_in(visit(house.service, **wishes), role)
