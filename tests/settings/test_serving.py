"""What serving needs, and reading the store does not."""

import pytest

from statekeeper.core.errors import SettingsError
from statekeeper.settings import load_settings, require_serving

TOKEN = {"name": "desk", "sha256": "9f" * 32, "role": "support"}


@pytest.fixture
def enough(setting):
    setting("IDNOW__ISSUER", "https://issuer.example")
    setting("IDNOW__AUDIENCE", "https://us.example")


def refusals():
    with pytest.raises(SettingsError) as caught:
        require_serving(load_settings())
    return [str(fault) for fault in caught.value.faults]


def test_an_issuer_and_an_audience_are_required():
    issuer, audience = refusals()
    assert issuer.startswith("idnow.issuer: is required to serve; takes the issuer exactly as its tokens name it, an")
    assert audience == "idnow.audience: is required to serve; takes the accepted `aud` values, one or more"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_a_loopback_host_they_suffice(setting, enough, host):
    setting("HOST", host)
    require_serving(load_settings())


def test_without_tokens_no_other_host_is_served(setting, enough):
    setting("HOST", "192.0.2.1")
    (refusal,) = refusals()
    assert refusal == (
        'host: got "192.0.2.1"; without tokens only a loopback host is served: '
        "set host to 127.0.0.1, or configure [[tokens]] or [oidc]"
    )


def test_with_tokens_any_host_is_served(setting, enough):
    setting("HOST", "192.0.2.1")
    setting("TOKENS", [TOKEN])
    require_serving(load_settings())


def test_a_key_file_must_be_there(setting, enough, write):
    setting("IDNOW__JWKS_FILE", "keys.json")
    (refusal,) = refusals()
    assert refusal == 'idnow.jwks_file: got "keys.json", where there is no file; takes the path of a JWK Set'
    write("{}", "keys.json")
    require_serving(load_settings())
