"""Which language is spoken to whom, and that everything can be said in it."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from statekeeper.console.rendering.show import say
from statekeeper.console.rendering.words import LANGUAGES, negotiate, translations
from statekeeper.explanation.sentences import Sentence

ROOT = Path(__file__).parents[3]
PLACE = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
MARKUP = re.compile(r"<[^>]*>|[<>&\"]")
ENDS = (".", ":", "?")
in_every_language = pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])


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


@cache
def texts():
    """What stands in the code, found as `make words` finds it: one text, or the two of a singular and its plural."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options = {mapping["pattern"]: mapping for mapping in mappings}
    keywords = {**DEFAULT_KEYWORDS, "N_": None}
    return {found[2] for found in extract_from_dir(ROOT / "src" / "statekeeper", methods, options, keywords)}


@cache
def catalogue(language) -> Catalog:
    source = files("statekeeper.console") / "locales" / language / "LC_MESSAGES" / "console.po"
    with source.open("rb") as text:
        return read_po(text, locale=language)


def said(language):
    """Each text beside what is said for it; for a plural each of its forms, beside the English one that it is for."""
    for message in catalogue(language):
        if message.id and not message.pluralizable:
            yield message.id, message.string
        elif message.id:
            for number, form in enumerate(message.string):
                yield message.id[min(number, 1)], form


@in_every_language
def test_the_catalogue_has_the_texts_of_the_code_and_no_others(language):
    assert {message.id for message in catalogue(language) if message.id} == texts()
    assert not catalogue(language).obsolete


@in_every_language
def test_every_text_is_translated_and_by_a_person(language):
    assert [text for text, form in said(language) if not form.strip()] == []
    assert [message.id for message in catalogue(language) if message.fuzzy and message.id] == []


@in_every_language
def test_every_plural_has_as_many_forms_as_the_language(language):
    forms = catalogue(language).num_plurals
    assert [each.id for each in catalogue(language) if each.pluralizable and len(each.string) != forms] == []


@in_every_language
def test_every_translation_has_the_places_of_its_text(language):
    assert [text for text, form in said(language) if sorted(PLACE.findall(text)) != sorted(PLACE.findall(form))] == []


@in_every_language
def test_no_translation_brings_markup_of_its_own(language):
    """A template takes a translation for markup: a quotation mark would end an attribute."""
    assert [form for text, form in said(language) if MARKUP.findall(text) != MARKUP.findall(form)] == []


@in_every_language
def test_a_translation_ends_as_its_text_does(language):
    assert [form for text, form in said(language) if end(text) != end(form)] == []


def end(text):
    return next((mark for mark in ENDS if text.endswith(mark)), "")


@in_every_language
def test_every_sentence_can_be_said_with_its_values(language):
    sentences = [text for text in texts() if isinstance(text, str) and "%(" not in text]
    for text in sentences:
        names = [name for _, name in PLACE.findall(text)]
        sentence = Sentence(text, {name: f"<{name}>" for name in names})
        spoken = say(sentence, language, translations(language).gettext)
        assert sorted(re.findall("<b>&lt;([a-z]+)&gt;</b>", spoken)) == sorted(names)
