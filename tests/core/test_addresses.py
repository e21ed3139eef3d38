from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statekeeper.core.addresses import Reach, kind, literal_refusal

ANYWHERE_PUBLIC = Reach()
THIS_MACHINE = Reach(loopback=True)
NOT_PUBLIC = {
    "0.0.0.0": "unspecified",  # noqa: S104 -- nobody binds to it here
    "0.1.2.3": "unspecified",
    "10.0.0.5": "private",
    "100.64.0.1": "shared by a carrier",
    "100.100.100.200": "a cloud's metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "a cloud's metadata",
    "169.254.1.1": "link-local",
    "169.254.169.254": "a cloud's metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "reserved",
    "192.0.2.1": "reserved",
    "192.88.99.1": "6to4",
    "192.168.1.1": "private",
    "198.19.255.255": "reserved",
    "203.0.113.9": "reserved",
    "224.0.0.1": "multicast",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "reserved",
    "::ffff:10.0.0.5": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "a cloud's metadata",
    "64:ff9b::10.0.0.5": "private",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b:1::8.8.8.8": "private",
    "100::1": "reserved",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:db8::1": "reserved",
    "2002:a00:5::1": "6to4",
    "2002:808:808::1": "6to4",
    "3fff::1": "reserved",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "a cloud's metadata",
    "fe80::1": "link-local",
    "fe80::1%2": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}
LAST_OF_THEIR_NETWORKS = {
    "0.255.255.255": "unspecified",
    "10.255.255.255": "private",
    "100.127.255.255": "shared by a carrier",
    "127.255.255.255": "loopback",
    "169.254.255.255": "link-local",
    "172.31.255.255": "private",
    "192.0.0.192": "a cloud's metadata",
    "192.0.0.255": "reserved",
    "192.0.2.255": "reserved",
    "192.88.99.255": "6to4",
    "192.168.255.255": "private",
    "198.19.255.255": "reserved",
    "198.51.100.255": "reserved",
    "203.0.113.255": "reserved",
    "239.255.255.255": "multicast",
    "254.255.255.255": "reserved",
    "fdff:ffff::ffff": "private",
    "febf:ffff::ffff": "link-local",
    "feff:ffff::ffff": "private",
    "2001:1ff:ffff::ffff": "reserved",
}
PUBLIC = [
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize(("text", "said"), NOT_PUBLIC.items())
def test_an_address_that_is_not_public_is_refused_by_its_kind(text, said):
    assert kind(ip_address(text)) == said
    refusal = ANYWHERE_PUBLIC.refusal(ip_address(text))
    assert refusal == f"refused: {ip_address(text)} is {said}; delivery.allowed_networks could allow it"


@pytest.mark.parametrize(("text", "said"), LAST_OF_THEIR_NETWORKS.items())
def test_a_network_that_is_not_public_is_refused_up_to_its_last_address(text, said):
    assert kind(ip_address(text)) == said


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_within_reach(text):
    assert kind(ip_address(text)) is None
    assert ANYWHERE_PUBLIC.refusal(ip_address(text)) is None


@given(st.builds(IPv4Address, st.integers(0, 2**32 - 1)) | st.builds(IPv6Address, st.integers(0, 2**128 - 1)))
def test_what_is_taken_for_public_is_what_the_registries_call_global(address):
    assert kind(address) is not None or address.is_global


@given(st.sampled_from(list(NOT_PUBLIC)).map(ip_address).filter(lambda address: address.version == 4))
def test_no_way_to_write_an_address_into_another_leads_further(address):
    for prefix in ("::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "2002::", "2001::"):
        shift = 80 if prefix == "2002::" else 0
        assert kind(IPv6Address(int(IPv6Address(prefix)) | int(address) << shift)) is not None


def test_this_machine_is_within_reach_only_of_those_that_may_go_there():
    for text in ("127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"):
        assert THIS_MACHINE.refusal(ip_address(text)) is None
    for text in ("0.0.0.0", "10.0.0.5", "::", "169.254.169.254"):  # noqa: S104 -- nobody binds to it here
        assert THIS_MACHINE.refusal(ip_address(text)) is not None


def test_a_network_that_is_allowed_is_within_reach_however_its_addresses_are_written():
    reach = Reach((ip_network("10.0.0.0/8"), ip_network("fd00::/16")))
    for text in ("10.255.0.1", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5", "fd00::5"):
        assert reach.refusal(ip_address(text)) is None
    for text in ("11.0.0.1", "8.8.8.8"):
        assert reach.refusal(ip_address(text)) is None
    for text in ("172.16.0.1", "fd01::5", "127.0.0.1", "169.254.169.254"):
        assert reach.refusal(ip_address(text)) is not None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://10.0.0.5/hook", "10.0.0.5 is private"),
        ("https://key@10.0.0.5:8443/hook", "10.0.0.5 is private"),
        ("https://[::ffff:a00:5]/", "::ffff:a00:5 is private"),
        ("https://[fe80::1]/", "fe80::1 is link-local"),
        ("http://127.0.0.1:9000/hook", "127.0.0.1 is loopback"),
        ("http://localhost:9000/hook", "localhost is loopback"),
        ("https://LOCALHOST./", "localhost is loopback"),
        ("https://crm.localhost/", "crm.localhost is loopback"),
    ],
)
def test_a_url_that_names_an_address_is_refused_before_anything_goes_there(url, host):
    assert literal_refusal(url, ANYWHERE_PUBLIC) == f"refused: {host}; delivery.allowed_networks could allow it"


@pytest.mark.parametrize("url", ["https://crm.example/hook", "https://8.8.8.8/", "https://localhost.example/", "//[x"])
def test_a_name_is_judged_when_something_goes_there(url):
    assert literal_refusal(url, ANYWHERE_PUBLIC) is None


def test_a_url_of_this_machine_may_be_allowed():
    for reach in (THIS_MACHINE, Reach((ip_network("127.0.0.0/8"),))):
        assert literal_refusal("http://localhost:9000/", reach) is None
        assert literal_refusal("http://127.0.0.1:9000/", reach) is None
