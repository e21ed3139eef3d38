"""Whether a page of somebody else began a request, by what the browser says."""

import pytest

from statekeeper.api.provenance import is_foreign

HOST = (b"host", b"console.example:8443")
OURS = (b"origin", b"https://console.example:8443")
THEIRS = (b"origin", b"https://evil.example")


def site(value: bytes) -> tuple[bytes, bytes]:
    return (b"sec-fetch-site", value)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST],
        [HOST, OURS],
        [HOST, (b"origin", b"https://CONSOLE.example:8443")],
        [HOST, site(b"same-origin")],
        [HOST, site(b"none")],
        [HOST, site(b"same-origin"), (b"origin", b"https://outer.example")],
    ],
)
def test_our_own_pages_and_what_is_no_browser_are_not_foreign(headers):
    assert not is_foreign(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, site(b"cross-site")],
        [HOST, site(b"same-site")],
        [HOST, site(b"")],
        [HOST, site(b"something-new"), OURS],
        [HOST, site(b"same-origin"), site(b"cross-site")],
        [HOST, site(b"none"), THEIRS],
        [HOST, THEIRS],
        [HOST, OURS, THEIRS],
        [HOST, (b"origin", b"https://console.example")],
        [HOST, (b"origin", b"null")],
        [HOST, (b"origin", b"https://[")],
        [THEIRS],
        [(b"host", b""), (b"origin", b"null")],
    ],
)
def test_all_others_are(headers):
    assert is_foreign(headers)


def test_the_url_that_is_configured_is_ours_as_well():
    headers = [(b"host", b"backend:8000"), OURS]
    assert is_foreign(headers)
    assert not is_foreign(headers, "https://console.example:8443")
    assert is_foreign([(b"host", b"backend:8000"), (b"origin", b"null")], "https://console.example:8443")
