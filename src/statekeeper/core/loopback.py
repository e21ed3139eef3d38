"""Which hosts are this machine itself: plain http is accepted for those only, and without tokens only they are served.

Source: W3C Secure Contexts, "potentially trustworthy" URLs: https, or a loopback host.
"""

import re
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
MISLEADING: Final = re.compile(r"[\x00-\x20\x7f\\]")


def is_loopback(host: str) -> bool:
    """Whether a host, without its port, is `localhost`, in 127.0.0.0/8, or ::1 (in brackets or not)."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)


def is_trustworthy(url: str) -> bool:
    """Whether nobody on the way can change what is asked of `url`: https, or plain http to a loopback host.

    Characters that some parsers drop and others read as a border (white space, controls, a backslash) make it False.
    """
    if MISLEADING.search(url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or "")))
