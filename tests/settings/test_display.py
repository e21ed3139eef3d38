"""Settings as they are shown, and no secret in them, in a fault, or in a repr."""

from dataclasses import asdict

import pytest

from statekeeper.settings import load_settings, resolve, resolved

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ENDPOINT = {"name": "crm", "url": "https://u:hunter2@crm.example/h?key=hunter2", "secrets": [SECRET]}
TOKEN = {"name": "desk", "sha256": SHA256, "role": "support"}


def rows(flags=None):
    resolution = resolve(flags)
    return {row.name: asdict(row) for row in resolved(resolution.settings, resolution.origins)}


def test_every_setting_is_shown():
    assert ", ".join(rows()) == (
        "database_url, host, port, callbacks, encryption_keys, idnow.issuer, idnow.audience, idnow.jwks_url, "
        "idnow.jwks_file, idnow.algorithms, idnow.leeway, ordering.gap_timeout, delivery.schedule, "
        "delivery.timeout, delivery.breaker_failures, delivery.breaker_pause, delivery.disable_after, "
        "delivery.allowed_networks, endpoints, brokers, tokens, "
        "console.enabled, console.url, console.idle_timeout, console.lifetime, "
        "oidc.issuer, oidc.client_id, oidc.client_secret, oidc.scopes, oidc.roles_claim, "
        "oidc.readers, oidc.supporters, oidc.admins, oidc.name_claim"
    )


def test_every_setting_is_shown_with_its_origin(setting, write):
    write('host = "localhost"\n[idnow]\naudience = ["https://us"]')
    setting("IDNOW__LEEWAY", "5")
    setting("IDNOW__JWKS_FILE", "/etc/keys.json")
    shown = {name: tuple(row.values())[1:] for name, row in rows({"database_url": "sqlite:///a.db"}).items()}
    assert shown["database_url"] == ("sqlite:///a.db", "flag", "--database-url")
    assert shown["host"] == ("localhost", "file", "statekeeper.toml")
    assert shown["port"] == (8000, "default", None)
    assert shown["idnow.issuer"] == (None, "default", None)
    assert shown["idnow.audience"] == (["https://us"], "file", "statekeeper.toml")
    assert shown["idnow.leeway"] == (5.0, "environment", "STATEKEEPER_IDNOW__LEEWAY")
    assert shown["idnow.jwks_file"] == ("/etc/keys.json", "environment", "STATEKEEPER_IDNOW__JWKS_FILE")


def test_passwords_secrets_and_hashes_are_not_shown(setting):
    setting("DATABASE_URL", "postgresql://user:hunter2@h/d?password=hunter2")
    setting("ENDPOINTS", [ENDPOINT])
    setting("TOKENS", [TOKEN])
    shown = rows()
    assert shown["database_url"]["value"] == "postgresql://user:***@h/d?password=***"
    (endpoint,) = shown["endpoints"]["value"]
    assert endpoint["url"] == "https://u:***@crm.example/h?key=***"
    assert endpoint["secrets"] == ["(not shown)"]
    assert shown["tokens"]["value"] == [{"name": "desk", "sha256": "(not shown)", "role": "support"}]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://user:{}@h/d"),
        ("DATABASE_URL", "postgresql://user:{}@h:port/d"),
        ("DATABASE_URL", "postgres:user:{}@h/d"),
        ("DATABASE_URL", "oracle://h/d?password={}"),
        ("DATABASE_URL", "oracle://u:a/{}@h/d"),
        ("DATABASE_URL", "oracle://u:a@{}@h/d"),
        ("HOST", 'h"{}' + "x" * 300),
        ("CALLBACKS", '["{}"'),
        ("IDNOW__JWKS_URL", "http://user:{}@keys.example"),
        ("ENDPOINTS", '{"secrets": "{}"'),
        ("ENDPOINTS", '[{"name": "a", "url": "http://u:{}@x/?y={}", "secrets": ["{}"], "x": "{}"}]'),
        ("ENDPOINTS", '[{"name": {"secret": "{}"}}]'),
        ("ENDPOINTS", '[{"name": ["{}"]}]'),
        ("ENDPOINTS", '["{}"]'),
        ("TOKENS", '[{"name": "a", "sha256": "{}", "role": "reader"}]'),
        ("TOKENS", "{}"),
    ],
)
def test_no_secret_is_in_a_fault_wherever_it_stands(setting, faults, variable, value):
    setting("PORT", "bad")
    setting(variable, value.replace("{}", SECRET))
    said = "\n".join(faults())
    assert "port: got" in said
    assert "MfKQ9r8G" not in said


@pytest.mark.parametrize("url", ["postgres:user:hunter2@h/d", "hunter2@h", "mysql://u:hunt/er2@h/d", "x:///?p=hunter2"])
def test_no_password_is_in_a_fault_of_a_url(setting, fault, url):
    setting("DATABASE_URL", url)
    assert "er2" not in fault()


def test_no_secret_is_in_a_repr(setting):
    setting("DATABASE_URL", "postgresql://user:hunter2@h/d")
    setting("ENDPOINTS", [ENDPOINT])
    setting("TOKENS", [TOKEN])
    settings = load_settings()
    said = f"{settings!r} {settings} {resolve()!r} {settings.tokens} {settings.endpoints}"
    assert "hunter2" not in said
    assert SECRET not in said
    assert SHA256 not in said
