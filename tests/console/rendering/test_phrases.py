"""What is said below the console is known there: each text that a page may show, and no phrase that nobody says."""

import pytest

from statekeeper.api.parameters import NO_UUID, Parameters
from statekeeper.console.endpoint_forms import read_fields, read_reason
from statekeeper.console.rendering.phrases import KINDS, PHRASES, recognise, tell
from statekeeper.console.rendering.words import translations
from statekeeper.core.addresses import _KINDS, Reach, literal_refusal
from statekeeper.core.errors import (
    BodyRefused,
    CannotBeOpened,
    InSettings,
    NameTaken,
    NoEncryptionKey,
    NotAnEvent,
    NotYetFree,
    QueryRefused,
    TooLarge,
    TooManyEndpoints,
)
from statekeeper.core.events import read_event
from statekeeper.delivery.catalogue import TOO_MANY_SECRETS
from statekeeper.settings import check_endpoint
from statekeeper.store.pages import read_cursor

NAMES = ("q", "state")
GOOD = {"name": "crm", "url": "https://crm.example/", "secrets": ["whsec_" + "A" * 43 + "="]}


def faults_of(ask) -> list[str]:
    """What is said of something that is refused; a demand stands behind what a rule says, and is told by itself."""
    with pytest.raises((BodyRefused, NotAnEvent, QueryRefused)) as refused:
        ask()
    faults = [refused.value.fault] if isinstance(refused.value, QueryRefused) else refused.value.faults
    parts = [fault.detail.partition("; takes ") for fault in faults]
    return [part for said, takes, demand in parts for part in (said, f"takes {demand}" if takes else "") if part]


def said_of_parameters() -> list[str]:
    return [
        *faults_of(lambda: Parameters.read(b"x=1", NAMES)),
        *faults_of(lambda: Parameters.read(b"q=1&q=2", NAMES)),
        *faults_of(lambda: Parameters.read(b"q=%ff", NAMES)),
        *faults_of(lambda: Parameters({"q": ["x"]}).choices("q", NAMES)),
        *faults_of(lambda: Parameters({"q": ["\0"]}).text("q")),
        *faults_of(lambda: read_cursor("made up")),
    ]


def said_of_endpoints() -> list[str]:
    bad = (
        {"name": ""},
        {"name": "ü"},
        {"url": "http://crm.example"},
        {"states": ["lost"]},
        {"states": ["lost"], "transitions": "all"},
        {"transitions": "some"},
        {"environments": [""]},
        {"flows": [""]},
        {"notices": ["all"]},
        {"concurrency": 0},
        {"rate": 0},
    )
    said = [text for values in bad for text in faults_of(lambda values=values: check_endpoint(GOOD | values))]
    said += faults_of(lambda: check_endpoint({name: value for name, value in GOOD.items() if name != "url"}))
    for form in ({"concurrency": "many"}, {"rate": "fast"}):
        said += faults_of(lambda form=form: read_fields(form, new=True))
    refused = [literal_refusal(f"https://{host}/", Reach()) for host in ("127.0.0.1", "localhost", "[fe80::1]")]
    return [*said, *refused, *faults_of(lambda: read_reason({})), *(each.detail for each in TOO_MANY_SECRETS.faults)]


def said_of_events() -> list[str]:
    return [*faults_of(lambda: read_event(None)), *faults_of(lambda: read_event({})), NO_UUID]


REFUSALS = [
    TooLarge(1),
    NameTaken("crm"),
    NotYetFree("crm"),
    InSettings("crm"),
    NoEncryptionKey(),
    CannotBeOpened("crm"),
    TooManyEndpoints(1),
]
SAID = [*said_of_parameters(), *said_of_endpoints(), *said_of_events(), *map(str, REFUSALS)]


@pytest.mark.parametrize("text", sorted(set(SAID)))
def test_whatever_a_page_may_show_of_what_is_said_below_is_known(text):
    sentence = recognise(text)
    assert sentence is not None
    assert str(sentence) == text


def test_every_phrase_is_still_said():
    assert {recognise(text).text for text in SAID} == set(PHRASES)


def test_every_kind_of_an_address_has_its_word():
    names = {"Teredo", "6to4"}
    assert {kind for _, kind in _KINDS} == set(KINDS) | names


def german(text: str) -> str:
    return str(tell(text, translations("de").gettext))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The name private is taken by another subscriber.", "Den Namen private hat schon ein anderer Empfänger."),
        ("must be one of <b>, {c}", "muss eines von diesen sein: &lt;b&gt;, {c}"),
        ("the chart's states are a; takes flowIds", "die Zustände des Zustandsdiagramms sind a; erwartet Flow-IDs"),
        ("something & nobody; takes flowIds", "something &amp; nobody; takes flowIds"),
        ("Something is wrong here", "Hier ist ein Fehler aufgetreten"),
        ("", ""),
    ],
    ids=["a value that is a word", "values that are markup", "two in one", "no phrase", "a text of ours", "nothing"],
)
def test_a_text_is_told_in_a_language_and_whatever_is_none_as_it_was_said(text, told):
    assert german(text) == told


def test_what_an_address_is_is_told_in_the_language_too():
    assert "(privat)" in german(literal_refusal("https://10.0.0.1/", Reach()))
