"""The console and the provider by which people sign in to it: whole or not at all, and without showing a secret."""

import pytest

from statekeeper.core.errors import SettingsError
from statekeeper.settings import load_settings, require_serving, resolve, resolved

SECRET = "a-very-own-secret-of-the-client"
OIDC = {"ISSUER": "https://id.example/realms/bank", "CLIENT_ID": "console", "CLIENT_SECRET": SECRET}


@pytest.fixture
def enough(setting):
    setting("IDNOW__ISSUER", "https://issuer.example")
    setting("IDNOW__AUDIENCE", "https://us.example")


@pytest.fixture
def provider(setting, enough):
    for name, value in OIDC.items():
        setting(f"OIDC__{name}", value)
    setting("CONSOLE__URL", "https://console.example")


def refusals():
    with pytest.raises(SettingsError) as caught:
        require_serving(load_settings())
    return {fault.field: fault.detail for fault in caught.value.faults}


def test_by_default_the_console_is_there_and_there_is_no_provider():
    settings = load_settings()
    assert (settings.console.enabled, settings.console.url, settings.oidc.issuer) == (True, None, None)
    assert (settings.console.idle_timeout, settings.console.lifetime) == (1800, 43_200)
    assert (settings.oidc.scopes, settings.oidc.roles_claim) == (("openid", "profile"), "roles")
    assert not settings.guarded


def test_a_provider_guards_the_service_so_that_any_host_is_served(setting, provider):
    setting("HOST", "192.0.2.1")
    require_serving(load_settings())
    assert load_settings().guarded


@pytest.mark.parametrize("missing", sorted(OIDC))
def test_half_a_provider_is_a_fault(monkeypatch, provider, missing):
    monkeypatch.delenv(f"STATEKEEPER_OIDC__{missing}")
    ((field, detail),) = refusals().items()
    assert field == f"oidc.{missing.lower()}"
    assert detail.startswith("is required to sign in by OpenID Connect; takes the ")


def test_a_provider_needs_to_know_the_way_back(monkeypatch, provider):
    monkeypatch.delenv("STATEKEEPER_CONSOLE__URL")
    assert refusals()["console.url"].startswith("is required with [oidc], which sends people back there; takes an htt")


def test_a_provider_without_a_console_is_a_fault(setting, provider):
    setting("CONSOLE__ENABLED", "false")
    assert list(refusals()) == ["console.enabled"]


@pytest.mark.parametrize("url", ["https://Console.example", "https://console.example/", "http://127.0.0.1:8000"])
def test_the_console_s_url_is_a_host_and_no_more(setting, url):
    setting("CONSOLE__URL", url)
    assert load_settings().console.url == url.lower().removesuffix("/")


@pytest.mark.parametrize(
    "url",
    ["http://console.example", "https://console.example/x", "https://a@b.example", "https://b.example?x", "b.example"],
)
def test_any_other_url_is_a_fault(setting, fault, url):
    setting("CONSOLE__URL", url)
    assert fault().startswith("console.url: got ")


def test_the_provider_is_asked_over_https_unless_it_is_this_machine(setting, fault):
    setting("OIDC__ISSUER", "http://id.example")
    assert fault().startswith('oidc.issuer: got "http://id.example" from STATEKEEPER_OIDC__ISSUER; takes the provider')
    setting("OIDC__ISSUER", "http://127.0.0.1:9")
    load_settings()


def test_who_somebody_is_must_be_asked_for(setting, fault):
    setting("OIDC__SCOPES", "profile,email")
    assert fault().startswith("oidc.scopes: got ")
    assert "; openid is not among them; takes " in fault()


@pytest.mark.parametrize("name", ["IDLE_TIMEOUT", "LIFETIME"])
def test_nobody_is_signed_in_for_no_time(setting, fault, name):
    setting(f"CONSOLE__{name}", "0")
    assert fault().endswith("takes seconds, 0 to 31622400, but not 0")


@pytest.mark.parametrize("value", ["", "x" * 256, "gehéim"])
def test_the_client_s_secret_is_shown_nowhere(write, fault, value):
    write(f'[oidc]\nclient_secret = "{value}"')
    assert fault().startswith("oidc.client_secret: got (not shown) from statekeeper.toml; takes the secret")


def test_a_good_secret_is_not_shown_either(provider):
    resolution = resolve()
    rows = {row.name: row.value for row in resolved(resolution.settings, resolution.origins)}
    assert rows["oidc.client_secret"] == "(not shown)"
    assert SECRET not in repr(resolution.settings)
