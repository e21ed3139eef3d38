"""The two lists of tables, which hold secrets: what is wrong with them is said without showing any."""

import json

import pytest

from statekeeper.settings import load_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ENDPOINT = {"name": "crm", "url": "https://crm.example/hook", "secrets": [SECRET]}
TOKEN = {"name": "desk", "sha256": SHA256, "role": "support"}


class TestBoth:
    def test_in_the_environment_they_are_json(self, setting):
        setting("ENDPOINTS", [{**ENDPOINT, "states": ["completed"], "environments": ["live"], "flows": ["f"]}])
        setting("TOKENS", [TOKEN])
        settings = load_settings()
        (endpoint,), (token,) = settings.endpoints, settings.tokens
        assert (endpoint.name, endpoint.url, endpoint.states) == ("crm", "https://crm.example/hook", ("completed",))
        assert (endpoint.environments, endpoint.flows) == (("live",), ("f",))
        assert [secret.get_secret_value() for secret in endpoint.secrets] == [SECRET]
        assert (token.name, token.sha256.get_secret_value(), token.role) == ("desk", SHA256, "support")

    def test_in_the_file_they_are_tables(self, write):
        endpoint = f'[[endpoints]]\nname = "crm"\nurl = "http://127.0.0.1:9/hook"\nsecrets = ["{SECRET}"]\n'
        write(f'{endpoint}[[tokens]]\nname = "desk"\nsha256 = "{SHA256}"\nrole = "admin"')
        settings = load_settings()
        assert settings.endpoints[0].states == ()
        assert settings.tokens[0].role == "admin"

    @pytest.mark.parametrize("name", ["ENDPOINTS", "TOKENS"])
    @pytest.mark.parametrize("text", ["[{", SECRET, f'[{{"secrets": "{SECRET}"]'])
    def test_what_is_not_json_is_a_fault(self, setting, fault, name, text):
        setting(name, text)
        assert fault() == (
            f"{name.lower()}: got (not shown) from STATEKEEPER_{name}; is not valid JSON; "
            "takes a list of tables (in the environment: JSON)"
        )

    def test_a_list_of_something_else_is_a_fault(self, setting, fault):
        setting("ENDPOINTS", ["crm"])
        assert fault() == (
            "endpoints[0]: got (not shown) from STATEKEEPER_ENDPOINTS; "
            "takes a table with "
            "concurrency, environments, flows, name, notices, rate, secrets, states, transitions, url"
        )

    def test_a_list_spread_over_variables_is_a_fault_that_names_one(self, setting, fault):
        setting("ENDPOINTS__0__NAME", "crm")
        assert fault().startswith("endpoints: got (not shown) from STATEKEEPER_ENDPOINTS__0__NAME; takes a list")

    @pytest.mark.parametrize(("name", "entry"), [("endpoints", ENDPOINT), ("tokens", TOKEN)])
    def test_two_of_one_name_are_a_fault(self, setting, fault, name, entry):
        setting(name.upper(), [entry, {**entry}])
        assert fault().startswith(f"{name}: got (not shown) from STATEKEEPER_{name.upper()}; names must be unique; ")
        assert f"more than one is called {entry['name']}" in fault()

    @pytest.mark.parametrize("name", ["", "x" * 256])
    def test_a_name_has_1_to_255_characters(self, setting, fault, name):
        setting("TOKENS", [{**TOKEN, "name": name}])
        assert fault().startswith(f'tokens[0].name: got "{name[:79]}')
        assert fault().endswith("takes a text of 1 to 255 characters")

    def test_an_unknown_key_is_a_fault_and_its_value_is_not_shown(self, setting, fault):
        setting("ENDPOINTS", [{**ENDPOINT, "secret": SECRET}])
        assert fault() == (
            "endpoints[0].secret: is no setting, but stands in STATEKEEPER_ENDPOINTS; "
            "there are concurrency, environments, flows, name, notices, rate, secrets, states, transitions, url"
        )

    def test_what_is_missing_is_said_for_each_member(self, write, faults):
        write("[[endpoints]]")
        assert [fault.split(" in statekeeper.toml; takes ")[0] for fault in faults()] == [
            "endpoints[0].name: is missing",
            "endpoints[0].url: is missing",
            "endpoints[0].secrets: is missing",
        ]


class TestEndpoints:
    def test_one_over_plain_http_elsewhere_is_a_fault(self, setting, fault):
        setting("ENDPOINTS", [{**ENDPOINT, "url": "http://crm.example"}])
        assert fault() == (
            'endpoints[0].url: got "http://crm.example" from STATEKEEPER_ENDPOINTS; '
            "takes an https:// URL (http:// for a loopback host only)"
        )

    @pytest.mark.parametrize("secret", ["abc", SECRET.removeprefix("whsec_"), "whsec_", "whsec_abcd", "whsec_%%%"])
    def test_a_signing_secret_that_is_none_is_a_fault(self, setting, fault, secret):
        setting("ENDPOINTS", [{**ENDPOINT, "secrets": [SECRET, secret]}])
        assert fault().startswith("endpoints[0].secrets[1]: got (not shown) from STATEKEEPER_ENDPOINTS; must ")
        assert fault().endswith("takes one or more of `whsec_` and the base64 of 24 to 64 bytes, the newest first")

    @pytest.mark.parametrize("secrets", [[], SECRET, [5], None])
    def test_at_least_one_secret_is_needed(self, setting, fault, secrets):
        setting("ENDPOINTS", [{**ENDPOINT, "secrets": secrets}])
        assert fault().startswith("endpoints[0].secrets")
        assert "got (not shown) from STATEKEEPER_ENDPOINTS; takes one or more" in fault()

    @pytest.mark.parametrize("states", [["created"], ["completed", "gone"], ["pending"]])
    def test_a_filter_for_a_state_that_is_not_final_is_a_fault(self, setting, fault, states):
        setting("ENDPOINTS", [{**ENDPOINT, "states": states}])
        assert fault() == (
            f"endpoints[0].states: got {json.dumps(states)} from STATEKEEPER_ENDPOINTS; "
            "the chart's final states are aborted, completed, error, expired; "
            "takes final states of the chart; with transitions = all, any"
        )

    def test_a_filter_for_any_state_fits_an_endpoint_that_is_told_of_all_transitions(self, setting):
        setting("ENDPOINTS", [{**ENDPOINT, "transitions": "all", "states": ["created", "completed"]}])
        assert load_settings().endpoints[0].states == ("created", "completed")

    def test_what_an_endpoint_may_ask_for_is_bounded(self, setting, fault):
        setting("ENDPOINTS", [{**ENDPOINT, "notices": ["callback.born"]}])
        assert "takes one or more of callback.dead, endpoint.disabled" in fault()


class TestTokens:
    @pytest.mark.parametrize("sha256", ["abc", SHA256[:-1], SHA256 + "0", "g" * 64, 5])
    def test_a_hash_that_is_none_is_a_fault(self, setting, fault, sha256):
        setting("TOKENS", [{**TOKEN, "sha256": sha256}])
        assert fault() == (
            "tokens[0].sha256: got (not shown) from STATEKEEPER_TOKENS; "
            "takes the SHA-256 of a token, as 64 hexadecimal digits"
        )

    def test_a_role_that_is_none_is_a_fault(self, setting, fault):
        setting("TOKENS", [{**TOKEN, "role": "root"}])
        assert fault() == 'tokens[0].role: got "root" from STATEKEEPER_TOKENS; takes reader, support or admin'
