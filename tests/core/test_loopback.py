import pytest

from statekeeper.core.loopback import is_loopback, is_trustworthy


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "::1", "[::1]"])
def test_these_hosts_are_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "192.0.2.1", "::", "127.1", "128.0.0.1", "localhost.example.com", "::2", "10.0.0.1", "127.0.0.1:80"],
)
def test_these_hosts_are_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example",
        "https://issuer.example:8443/oidc",
        "http://127.0.0.1:9000/x",
        "http://[::1]:9/",
        "HTTPS://A",
    ],
)
def test_https_and_plain_http_to_this_machine_are_trustworthy(url):
    assert is_trustworthy(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "issuer.example",
        "http://issuer.example",
        "http://localhost@issuer.example",
        "http://localhost\\@issuer.example",
        "http://local\thost/",
        "https://issuer.example\\@localhost",
        " https://issuer.example",
        "http://localhost\n.example",
        "https://",
        "https:///path",
        "https://issuer.example:port",
        "http://[::1",
        "ftp://localhost/keys",
        "file:///etc/keys",
    ],
)
def test_anything_else_is_not(url):
    assert not is_trustworthy(url)
