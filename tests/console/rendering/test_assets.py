"""What pages are made of besides their markup."""

from importlib.resources import files

import pytest

from statekeeper.console.rendering.assets import address

STATIC = files("statekeeper.console") / "static"
NAMES = sorted(each.name for each in STATIC.iterdir())
VENDORED = ("htmx-", "hx-sse-")
BUDGET = 100 * 1024


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("console.css", "text/css; charset=utf-8"),
        ("console.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_an_asset_is_kept_for_ever_under_the_hash_of_its_content(local, name, media_type):
    answer = await local.get(address(name))
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content == (STATIC / name).read_bytes()
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "0123456789ab/console.css",
        "0123456789ab/..%2fpages.py",
        "0123456789ab/..%2f..%2fapp.py",
        "0123456789ab/%2e%2e%2fpages.py",
        "0123456789ab/%2fetc%2fpasswd",
        "0123456789ab/htmx-LICENSE.txt",
        "0123456789ab/nothing.css",
        "0123456789ab/%00.css",
        "0123456789ab/nothing",
    ],
)
async def test_nothing_else_is_given_out(local, path):
    answer = await local.get(f"/console/static/{path}")
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_an_address_changes_with_its_content():
    assert address("console.css").split("/")[3] != address("console.js").split("/")[3]


def test_our_own_assets_are_small():
    own = [name for name in NAMES if not name.startswith(VENDORED)]
    assert "console.css" in own
    assert sum(len((STATIC / name).read_bytes()) for name in own) < BUDGET


@pytest.mark.parametrize(
    "name", [name for name in NAMES if not name.startswith(VENDORED) and name[-3:] in ("css", ".js")]
)
def test_no_asset_of_ours_asks_another_host(name):
    text = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text
