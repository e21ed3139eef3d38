"""What is wrong with a setting is said in one line: its name, what it got and from where, what it takes."""

import json

import pytest
from pydantic import SecretStr

from statekeeper.settings import IdnowSettings, load_settings

ALL = (
    "brokers, callbacks, console, database_url, delivery, encryption_keys, endpoints, host, idnow, oidc, ordering, "
    "port, tokens"
)
SECONDS = "seconds, 0 to 31622400"


class TestEncryptionKeys:
    @pytest.mark.parametrize("key", ["A" * 43, "short", "é" * 44])
    def test_one_that_is_none_is_a_fault_and_is_not_shown(self, setting, fault, key):
        setting("ENCRYPTION_KEYS", json.dumps([key]))
        assert fault().startswith(
            "encryption_keys[0]: got (not shown) from STATEKEEPER_ENCRYPTION_KEYS; takes Fernet keys"
        )
        assert key not in fault()


class TestKeys:
    def test_every_fault_is_named_and_not_only_the_first(self, setting, write, faults):
        write('port = "many"\nhots = "x"')
        setting("ORDERING__GAP_TIMEOUT", "soon")
        host, port, gap, hots = faults({"host": ""})
        assert host == 'host: got "" from --host; takes a host name or an address to listen on'
        assert port == 'port: got "many" from statekeeper.toml; takes a number from 0 (any that is free) to 65535'
        assert gap == (
            'ordering.gap_timeout: got "soon" from STATEKEEPER_ORDERING__GAP_TIMEOUT; '
            f"takes {SECONDS}, fractions allowed; 0 never waits"
        )
        assert hots == f"hots: is no setting, but stands in statekeeper.toml; there are {ALL}"

    @pytest.mark.parametrize("text", ["[sessions]", "Host = '::1'", "config = 'x'", "env_prefix = 'x'"])
    def test_an_unknown_key_of_the_file_is_a_fault(self, write, fault, text):
        write(text)
        assert fault().endswith(f"is no setting, but stands in statekeeper.toml; there are {ALL}")

    def test_an_unknown_key_within_a_table_is_a_fault(self, setting, write, faults):
        write('[idnow]\nisuer = "https://a"')
        setting("DELIVERY__RETRIES", "3")
        issuer, retries = faults()
        assert issuer.startswith("idnow.isuer: is no setting, but stands in statekeeper.toml; there are algorithms, ")
        assert retries == (
            "delivery.retries: is no setting, but stands in STATEKEEPER_DELIVERY__RETRIES; there are "
            "allowed_networks, breaker_failures, breaker_pause, disable_after, schedule, timeout"
        )


class TestNumbers:
    @pytest.mark.parametrize("port", ["-1", "65536", "8000.5", "http", "tcp://10.0.0.1:8000"])
    def test_a_port_that_is_none_is_a_fault(self, setting, fault, port):
        setting("PORT", port)
        assert fault().startswith(f'port: got "{port}" from STATEKEEPER_PORT; takes a number from 0')

    def test_truth_is_no_number(self, write, faults):
        write("port = true\n[idnow]\nleeway = false")
        port, leeway = faults()
        assert port.startswith("port: got true from statekeeper.toml; takes a number")
        assert leeway == f"idnow.leeway: got false from statekeeper.toml; takes {SECONDS}"

    @pytest.mark.parametrize("name", ["idnow.leeway", "ordering.gap_timeout", "delivery.timeout"])
    @pytest.mark.parametrize("value", ["-0.1", "inf", "nan", "1e300", "1 s", "true"])
    def test_seconds_are_finite_and_not_negative(self, setting, fault, name, value):
        variable = name.replace(".", "__").upper()
        setting(variable, value)
        assert fault().startswith(f'{name}: got "{value}" from STATEKEEPER_{variable}; takes {SECONDS}')

    def test_an_attempt_must_be_given_some_time(self, setting, fault):
        setting("DELIVERY__TIMEOUT", "0")
        assert fault() == (f'delivery.timeout: got "0" from STATEKEEPER_DELIVERY__TIMEOUT; takes {SECONDS}, but not 0')

    def test_a_gap_timeout_of_zero_and_fractions_are_good(self, setting):
        setting("ORDERING__GAP_TIMEOUT", "0")
        setting("DELIVERY__TIMEOUT", "0.25")
        assert load_settings().ordering.gap_timeout == 0
        assert load_settings().delivery.timeout == 0.25

    @pytest.mark.parametrize(
        ("text", "shown"), [("[0, -1]", "[1]: got -1"), ("[]", ': got "[]"'), ("0,x", '[1]: got "x"')]
    )
    def test_a_schedule_is_one_or_more_numbers(self, setting, fault, text, shown):
        setting("DELIVERY__SCHEDULE", text)
        assert fault().startswith(f"delivery.schedule{shown} from STATEKEEPER_DELIVERY__SCHEDULE; takes the seconds")


class TestTheIssuer:
    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "none", "None", "rs256", "ES256K", "dir"])
    def test_only_asymmetric_algorithms_are_taken(self, setting, fault, algorithm):
        setting("IDNOW__ALGORITHMS", f"RS256,{algorithm}")
        assert fault() == (
            f'idnow.algorithms[1]: got "{algorithm}" from STATEKEEPER_IDNOW__ALGORITHMS; takes one or more of '
            "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA"
        )

    def test_all_that_are_offered_are_taken(self, setting):
        offered = "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA"
        setting("IDNOW__ALGORITHMS", offered)
        assert ",".join(load_settings().idnow.algorithms) == offered

    def test_no_algorithm_at_all_is_a_fault(self, write, fault):
        write("[idnow]\nalgorithms = []")
        assert fault().startswith("idnow.algorithms: got [] from statekeeper.toml; takes one or more of RS256")

    @pytest.mark.parametrize("name", ["issuer", "jwks_url"])
    @pytest.mark.parametrize("url", ["http://issuer.example", "ftp://localhost", "issuer.example", "https://"])
    def test_the_issuer_and_its_keys_are_asked_over_https_or_on_this_machine(self, setting, fault, name, url):
        setting(f"IDNOW__{name.upper()}", url)
        assert fault().startswith(f'idnow.{name}: got "{url}" from ')
        assert fault().endswith("an https:// URL (http:// for a loopback host only)")

    @pytest.mark.parametrize("url", ["http://localhost:1/oidc", "http://127.9.9.9", "http://[::1]:9/", "https://a/b"])
    def test_plain_http_is_taken_for_loopback_hosts(self, setting, url):
        setting("IDNOW__ISSUER", url)
        setting("IDNOW__JWKS_URL", url)
        assert load_settings().idnow == IdnowSettings(issuer=url, jwks_url=url)


class TestTheDatabase:
    @pytest.mark.parametrize(
        "url",
        [
            "mysql://u@h/d",
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite:///a.db?mode=ro",
            "sqlite://host/a.db",
            "postgresql+psycopg://h/d",
            "postgresql://h:port/d",
            "statekeeper.db",
        ],
    )
    def test_a_database_of_another_kind_is_a_fault(self, setting, fault, url):
        setting("DATABASE_URL", url)
        assert fault().startswith("database_url: got ")
        assert fault().endswith("takes sqlite:///PATH, or postgresql://USER@HOST/NAME")

    @pytest.mark.parametrize(
        "url",
        ["sqlite:///a.db", "sqlite:////var/lib/a.db", "postgresql://u:p@h/d", "postgres://h:5432/d", "postgresql:///d"],
    )
    def test_sqlite_and_postgresql_are_taken(self, setting, url):
        setting("DATABASE_URL", url)
        assert load_settings().database_url == SecretStr(url)


class TestWhatItGot:
    def test_a_list_that_is_not_json_is_said_to_be_none(self, setting, fault):
        setting("CALLBACKS", '["a",')
        assert fault() == (
            'callbacks: got "[\\"a\\"," from STATEKEEPER_CALLBACKS; is not valid JSON; takes import paths or .py files'
        )

    def test_a_table_where_a_text_belongs_is_not_shown(self, write, fault):
        write('[host]\nname = "x"')
        assert fault().startswith('host: got "a table" from statekeeper.toml; takes a host name')

    def test_a_long_value_is_cut(self, write, fault):
        write(f'host = "{"x" * 300}"')
        assert fault() == f'host: got "{"x" * 79}… from statekeeper.toml; takes a host name or an address to listen on'

    def test_a_value_of_toml_that_json_has_not_is_shown_as_text(self, write, fault):
        write("host = 2026-01-08")
        assert fault().startswith('host: got "2026-01-08" from statekeeper.toml')
