"""Which addresses callbacks may go to: the public ones, and what the operator allows besides.

A URL that somebody else chose must not make this service knock at doors that only it can reach: this machine, the
network around it, the cloud's metadata. A name says nothing of where it leads, so that addresses are what is judged.
One that carries an IPv4 address (mapped, or for a NAT64 to translate) leads to that one, and is judged as it. All else
that no registry calls globally reachable is refused, and so are the tunnels of old, 6to4 and Teredo.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); RFC 6598 (shared address space), RFC 6052
(NAT64), RFC 3056 (6to4), RFC 4380 (Teredo); OWASP, "Server-Side Request Forgery Prevention".
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOOPBACK: Final = IPv4Address("127.0.0.1")
_KINDS: Final = tuple(
    (ip_network(network), kind)
    for kind, networks in {
        "a cloud's metadata": "168.63.129.16/32 169.254.169.254/32 100.100.100.200/32 192.0.0.192/32 fd00:ec2::254/128",
        "unspecified": "0.0.0.0/8 ::/128",
        "loopback": "127.0.0.0/8 ::1/128",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10 64:ff9b:1::/48",
        "shared by a carrier": "100.64.0.0/10",
        "link-local": "169.254.0.0/16 fe80::/10",
        "multicast": "224.0.0.0/4 ff00::/8",
        "Teredo": "2001::/32",
        "6to4": "2002::/16 192.88.99.0/24",
        "reserved": "192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
        " 2001::/23 2001:db8::/32 3fff::/20",
    }.items()
    for network in networks.split()
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")


def kind(address: Address) -> str | None:
    """What an address is if it is not public, in a word or two; None for a public one."""
    led = _led_to(address)
    for network, name in _KINDS:
        if led in network:
            return name
    return None if led.version == 4 or led in _GLOBAL_UNICAST else "reserved"  # noqa: PLR2004 -- IPv4


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the callbacks of an endpoint may go: to public addresses, to these networks, to this machine or not."""

    networks: tuple[Network, ...] = ()
    loopback: bool = False

    def refusal(self, address: Address) -> str | None:
        """Why a callback must not go to an address, for the operator to read; None if it may."""
        found = kind(address)
        if found is None or (found == "loopback" and self.loopback) or self._is_allowed(address):
            return None
        return _refusal(str(address), found)

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network or _led_to(address) in network for network in self.networks)


def literal_refusal(url: str, reach: Reach) -> str | None:
    """Why a callback could never go to a URL that names an address, or this machine; None if it may, or for a name.

    A name is looked up when a callback goes there: only then is it known where it leads.
    """
    try:
        host = (urlsplit(url).hostname or "").removesuffix(".")
        if host == "localhost" or host.endswith(".localhost"):
            return reach.refusal(_LOOPBACK) and _refusal(host, "loopback")
        return reach.refusal(ip_address(host))
    except ValueError:
        return None


def _refusal(host: str, found: str) -> str:
    return f"refused: {host} is {found}; delivery.allowed_networks could allow it"


def _led_to(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries, where packets to the one end at the other; else itself."""
    if isinstance(address, IPv6Address):
        if mapped := address.ipv4_mapped:
            return mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
