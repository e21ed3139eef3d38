import json
import os
from pathlib import Path

import pytest

from statekeeper.core.errors import SettingsError
from statekeeper.settings import load_settings


@pytest.fixture(autouse=True)
def empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STATEKEEPER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def setting(monkeypatch):
    """Set a variable; what is no text is set as JSON."""

    def set_variable(name, value):
        monkeypatch.setenv(f"STATEKEEPER_{name}", value if isinstance(value, str) else json.dumps(value))

    return set_variable


@pytest.fixture
def write():
    """Write the settings' file."""

    def write_file(text, name="statekeeper.toml"):
        Path(name).write_text(text, encoding="utf-8")

    return write_file


@pytest.fixture
def faults():
    """Load settings that are bad, and list what is said of them."""

    def load_bad(flags=None):
        with pytest.raises(SettingsError) as caught:
            load_settings(flags)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None, "a chained ValidationError would show what it got"
        return [str(fault) for fault in caught.value.faults]

    return load_bad


@pytest.fixture
def fault(faults):
    """Load settings that are bad in one way."""

    def load_bad(flags=None):
        (only,) = faults(flags)
        return only

    return load_bad
