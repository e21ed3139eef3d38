"""What a browser takes along to the provider: one secret, from which all others come and which none of them tells."""

import re

import pytest

from statekeeper.console.entrance.journey import Journey
from statekeeper.console.forms import HOME, local_path


def test_a_journey_is_told_again_by_its_cookie():
    journey = Journey.begin("/console/sessions/x?a=%C3%A9#b")
    assert Journey.read(journey.cookie) == journey
    assert re.fullmatch(r"[\w.-]+", journey.cookie, re.ASCII), "nothing in it has to be quoted"


def test_what_goes_through_the_provider_is_different_each_time_and_each_for_itself():
    one, other = Journey.begin(None), Journey.begin(None)
    told = {each for journey in (one, other) for each in (journey.state, journey.nonce, journey.verifier, journey.seed)}
    assert len(told) == 8
    assert all(re.fullmatch(r"[\w-]{43}", each, re.ASCII) for each in told)


@pytest.mark.parametrize("cookie", [None, "", "x", f"{'x' * 42}.L2NvbnNvbGU", f"{'x' * 43}.w6k", f"{'x' * 43}.a"])
def test_anything_else_is_no_journey(cookie):
    assert Journey.read(cookie) is None


@pytest.mark.parametrize("state", [None, "", "x" * 43, "é\udcff"])
def test_only_its_own_state_answers_it(state):
    journey = Journey.begin(None)
    assert journey.answers(journey.state)
    assert not journey.answers(state)
    assert not journey.answers(Journey.begin(None).state)


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/sessions?q=a&b=%2F%2Fx", "/console?x#y", HOME])
def test_a_page_of_the_console_is_gone_on_to(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "//console/x",
        "/console\\x",
        "/console/x y",
        "/console/x\n",
        "/console/é",
        "/consoles",
        "https://console.example/console",
        "/console/sign-in",
        "/console/sign-in?next=/console",
        "/console/sign-out",
        f"/console/{'x' * 1001}",
    ],
)
def test_nothing_else_is(path):
    assert local_path(path) == HOME
