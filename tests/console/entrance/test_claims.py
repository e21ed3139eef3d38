"""What claims say of somebody, wherever a provider puts them."""

import pytest

from statekeeper.api.access import Role
from statekeeper.console.entrance.claims import Naming, find_claim

VALUES = {Role.READER: frozenset({"r"}), Role.SUPPORT: frozenset({"s", "s2"}), Role.ADMIN: frozenset({"a"})}
NAMING = Naming("roles", VALUES, "preferred_username")


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"roles": 1}, "roles", 1),
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"https://bank.example/roles": 1}, "https://bank.example/roles", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": ["b"]}, "a.b", None),
        ({"a": None}, "a.b", None),
        ({}, "a", None),
    ],
)
def test_a_claim_is_found_by_its_name_or_its_path(claims, path, found):
    assert find_claim(claims, path) == found


@pytest.mark.parametrize(
    ("value", "role"),
    [
        (["r", "a", "s"], Role.ADMIN),
        (["s2", "r"], Role.SUPPORT),
        ("r", Role.READER),
        ("r s", None),
        (["R"], None),
        ([], None),
        ([1, None, ["a"]], None),
        ({"a": 1}, None),
        (True, None),
        (None, None),
    ],
)
def test_the_highest_role_of_the_values_counts(value, role):
    assert NAMING.role_of({"roles": value}) is role


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "marta", "email": "m@bank.example", "sub": "1"}, "marta"),
        ({"email": "m@bank.example", "sub": "1"}, "m@bank.example"),
        ({"preferred_username": "", "email": None, "sub": "1"}, "1"),
        ({"preferred_username": "x" * 256, "sub": "1"}, "1"),
        ({"preferred_username": "a\0b", "sub": "1"}, "1"),
    ],
)
def test_somebody_is_called_by_the_first_name_that_can_be_kept(claims, name):
    assert NAMING.name_of(claims) == name


def test_the_values_that_would_do_can_be_told():
    assert NAMING.accepted == "a, r, s, s2"
