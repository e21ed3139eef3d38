"""The names that a user's program may build on."""

import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import pytest

import statekeeper

PUBLIC = ["GiveUp", "LastStep", "RetryLater", "SessionEnded", "__version__", "create_app", "on_terminal"]


def loaded_by(statement):
    script = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_the_public_names_are_these_and_no_others():
    assert sorted(statekeeper.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(statekeeper, name) is not None


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'create_apps'"):
        _ = statekeeper.create_apps


def test_the_version_is_that_of_the_distribution():
    assert statekeeper.__version__ == version("statekeeper")


def test_a_type_checker_may_believe_the_annotations():
    assert (files("statekeeper") / "py.typed").is_file()


def test_importing_the_public_face_loads_no_web_stack_and_no_store():
    loaded = loaded_by(f"from statekeeper import {', '.join(set(PUBLIC) - {'create_app'})}")
    assert "transitions" in loaded
    assert not {"litestar", "uvicorn", "httpx", "sqlalchemy", "sqlmodel", "pydantic"}.intersection(loaded)


def test_a_name_that_nobody_asks_for_loads_nothing():
    assert "transitions" not in loaded_by("import statekeeper")
