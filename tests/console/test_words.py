"""Which language is spoken to whom."""

import pytest

from statekeeper.console.words import negotiate, translations


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,de;q=0.3,en;q=0.7", "en"),
        ("de;q=0,en", "en"),
        ("fr", "en"),
        ("*", "en"),
        (";;q=x,,de;q=oops,en", "en"),
    ],
)
def test_the_first_language_there_is_of_those_a_browser_accepts(accepted, spoken):
    assert negotiate(None, accepted) == spoken


def test_what_was_chosen_goes_before_what_the_browser_says():
    assert negotiate("de", "en") == "de"
    assert negotiate("tlh", "en") == "en"


def test_english_is_what_stands_in_the_code():
    assert translations("en").gettext("Sessions") == "Sessions"
