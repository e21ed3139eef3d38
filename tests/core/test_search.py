"""What is typed or pasted in search of a session."""

from uuid import UUID

import pytest

from statekeeper.core.search import read_search

SESSION = UUID("fe1941c2-bc45-4142-b516-fa0fc9fd7754")


@pytest.mark.parametrize(
    "text",
    [
        "fe1941c2-bc45-4142-b516-fa0fc9fd7754",
        "FE1941C2-BC45-4142-B516-FA0FC9FD7754",
        "fe1941c2bc454142b516fa0fc9fd7754",
        "  {FE1941C2-BC45-4142-B516-FA0FC9FD7754}\n",
        "urn:uuid:fe1941c2-bc45-4142-b516-fa0fc9fd7754",
        "https://console.example/console/sessions/fe1941c2-bc45-4142-b516-fa0fc9fd7754#events",
        "https://x.example/v1/sessions/FE1941C2-BC45-4142-B516-FA0FC9FD7754/history?wait=3",
        '{"sessionId": "fe1941c2-bc45-4142-b516-fa0fc9fd7754", "flowId": "bf8e2e27-0000-4000-8000-000000000000"}',
    ],
)
def test_an_id_is_found_wherever_it_stands(text):
    assert read_search(text) == SESSION


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("fe19", "fe19"),
        (" FE1941C2 ", "fe1941c2"),
        ("fe1941c2-bc45-", "fe1941c2bc45"),
        ("…fd7754", "fd7754"),
        ("fe1941c2...", "fe1941c2"),
        ("e1941c2bc454142b516fa0fc9fd7754", "e1941c2bc454142b516fa0fc9fd7754"),
    ],
)
def test_four_digits_or_more_are_a_part(text, part):
    assert read_search(text) == part


@pytest.mark.parametrize(
    "text",
    ["", "  ", "fe1", "crm", "fe19 g", "----", "٠١٢٣٤", "fe1941c2bc454142b516fa0fc9fd77540", "https://x.example/"],
)
def test_anything_else_is_nothing(text):
    assert read_search(text) is None
