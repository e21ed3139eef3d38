"""Where settings come from: precedence, lists, the file, and by-hand settings that read nothing."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from statekeeper.settings import IdnowSettings, Settings, load_settings, unknown_variables


class TestPrecedence:
    def test_without_any_source_there_are_the_defaults(self):
        settings = load_settings()
        assert settings.database_url.get_secret_value() == "sqlite:///statekeeper.db"
        assert (settings.host, settings.port, settings.callbacks) == ("127.0.0.1", 8000, ())
        assert settings.idnow == IdnowSettings(issuer=None, audience=(), algorithms=("RS256",), leeway=60)
        assert settings.ordering.gap_timeout == 30
        assert settings.delivery.schedule == (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
        assert settings.delivery.timeout == 20
        assert (settings.endpoints, settings.tokens) == ((), ())

    def test_a_flag_comes_before_the_environment_and_that_before_the_file(self, setting, write):
        write('host = "::1"\nport = 1\ndatabase_url = "sqlite:///file.db"')
        setting("PORT", "2")
        setting("HOST", "localhost")
        settings = load_settings({"port": 3, "host": None})
        assert settings.port == 3
        assert settings.host == "localhost"
        assert settings.database_url.get_secret_value() == "sqlite:///file.db"

    def test_a_variable_overrides_one_key_of_a_table_and_leaves_the_others(self, setting, write):
        write('[idnow]\nissuer = "https://file.example"\nleeway = 5')
        setting("IDNOW__ISSUER", "https://environment.example")
        assert load_settings().idnow == IdnowSettings(issuer="https://environment.example", leeway=5)

    def test_an_empty_variable_counts_as_none(self, setting, write):
        write('host = "localhost"')
        setting("HOST", "")
        assert load_settings().host == "localhost"

    def test_a_table_overridden_by_a_variable_that_is_no_table_is_a_fault(self, setting, write, fault):
        write("[idnow]\nleeway = 5")
        setting("IDNOW", "strict")
        assert fault().startswith('idnow: got "strict" from STATEKEEPER_IDNOW; takes a table with algorithms, audience')

    def test_a_variable_within_a_table_that_the_file_has_as_a_text_makes_it_a_table(self, setting, write):
        write('idnow = "strict"')
        setting("IDNOW__LEEWAY", "7")
        assert load_settings().idnow.leeway == 7

    def test_what_overrides_one_key_is_its_origin(self, setting, write, fault):
        write('idnow = "strict"')
        setting("IDNOW__LEEWAY", "long")
        assert fault().startswith('idnow.leeway: got "long" from STATEKEEPER_IDNOW__LEEWAY; ')

    def test_the_file_named_by_the_flag_comes_before_the_one_named_by_the_variable(self, setting, write):
        write("port = 1")
        write("port = 2", "variable.toml")
        write("port = 3", "flag.toml")
        setting("CONFIG", "variable.toml")
        assert load_settings().port == 2
        assert load_settings({"config": Path("flag.toml")}).port == 3

    def test_settings_made_by_hand_read_nothing(self, setting, write):
        write("port = 1")
        setting("HOST", "localhost")
        assert (Settings().port, Settings().host) == (8000, "127.0.0.1")

    def test_settings_are_frozen(self):
        settings = load_settings()
        with pytest.raises(ValidationError):
            settings.port = 1
        with pytest.raises(ValidationError):
            settings.idnow.leeway = 1


class TestLists:
    @pytest.mark.parametrize("text", ["https://a, https://b", '["https://a", "https://b"]', " https://a,https://b, "])
    def test_a_list_in_the_environment_is_comma_separated_or_json(self, setting, text):
        setting("IDNOW__AUDIENCE", text)
        assert load_settings().idnow.audience == ("https://a", "https://b")

    def test_numbers_are_listed_in_the_same_way(self, setting):
        setting("DELIVERY__SCHEDULE", "0, 0.5,3")
        assert load_settings().delivery.schedule == (0, 0.5, 3)
        setting("DELIVERY__SCHEDULE", "[1, 2]")
        assert load_settings().delivery.schedule == (1, 2)

    def test_a_single_value_is_a_list_of_one(self, write):
        write('[idnow]\naudience = "https://a"\nalgorithms = "ES256"')
        assert load_settings().idnow == IdnowSettings(audience=("https://a",), algorithms=("ES256",))

    def test_callbacks_come_from_flags_variables_and_the_file(self, setting, write):
        write('callbacks = ["bank.hooks"]')
        assert load_settings().callbacks == ("bank.hooks",)
        setting("CALLBACKS", "bank.hooks,./more.py")
        assert load_settings().callbacks == ("bank.hooks", "./more.py")
        assert load_settings({"callbacks": "only.this"}).callbacks == ("only.this",)


class TestTheFile:
    def test_one_that_is_named_and_not_there_is_a_fault(self, setting, fault):
        assert fault({"config": Path("gone.toml")}) == 'config: got "gone.toml" from --config; there is no such file'
        setting("CONFIG", "lost.toml")
        assert fault() == 'config: got "lost.toml" from STATEKEEPER_CONFIG; there is no such file'

    def test_one_that_is_no_toml_is_one_fault_with_its_place(self, write, fault):
        write("port = 1\nhost = x")
        assert fault() == 'config: "statekeeper.toml" is not TOML: Invalid value (at line 2, column 8)'

    def test_one_that_is_not_utf_8_is_a_fault(self, fault):
        Path("statekeeper.toml").write_bytes(b"host = '\xff'")
        assert fault() == 'config: "statekeeper.toml" is not TOML: it is not UTF-8'

    def test_one_that_cannot_be_read_is_a_fault(self, fault):
        Path("statekeeper.toml").mkdir()
        assert fault() == 'config: "statekeeper.toml" cannot be read: Is a directory'


def test_variables_that_only_look_like_settings_are_known_by_name(setting):
    for name in ("DATABSE_URL", "SERVICE_HOST", "IDNOW__ISSUER", "HOST", "CONFIG"):
        setting(name, "x")
    assert unknown_variables() == ["STATEKEEPER_DATABSE_URL", "STATEKEEPER_SERVICE_HOST"]
