"""Where a request was begun: by this service's own pages and by no browser at all, or by a page of somebody else.

A browser that was led here by another page sends what it has of ours along, cookies or simply its place on this
machine. It says so itself: `Sec-Fetch-Site` in all browsers of today, on https and on this machine, and `Origin` with
every request that may change something in older ones. No page can forge either.

Sources: W3C Fetch Metadata, section 2.2; RFC 6454, section 7. A page on another port or a sister domain (`same-site`)
is somebody else's; `none` is a person at the address bar.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

Headers = Iterable[tuple[bytes, bytes]]
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OUR_OWN: Final = frozenset({b"same-origin", b"none"})


def is_foreign(headers: Headers, own_url: str | None = None) -> bool:
    """Whether a page of another origin began this request. `own_url` is ours besides that of the Host header."""
    sites = _values(headers, b"sec-fetch-site")
    if any(site not in _OUR_OWN for site in sites):
        return True
    if sites and all(site == b"same-origin" for site in sites):
        return False  # a proxy may have given the Host another name, and the browser knows better
    hosts = (host.decode("latin-1").lower() for host in _values(headers, b"host"))
    ours = {_host_of(own_url or ""), *hosts} - {""}
    return any(_host_of(origin.decode("latin-1")) not in ours for origin in _values(headers, b"origin"))


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _host_of(origin: str) -> str:
    """The host and port of an origin; empty of one that is hidden (`null`) or is none, so that it is nobody's."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
