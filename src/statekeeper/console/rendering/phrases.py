"""What is said below the console, in the visitor's language: a text that an API says as well is known by its phrase.

The layers below speak English and know of no catalogue. A phrase is their text with a `{place}` for each value, which
goes into the translation as it is, or, a `{kind}`, as a word of ours. What is like no phrase is shown as it was
said, so that nothing is lost; a test asks for each text that a page may show, and for each phrase that is still said.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from markupsafe import Markup, escape

from statekeeper.explanation.sentences import N_, Sentence, plain

PHRASES: Final = (
    N_("takes no other parameters than {names}"),
    N_("must be given once at most"),
    N_("must be one of {names}"),
    N_("must be a text of 1 to {most} characters"),
    N_("must be percent-encoded UTF-8 of at most {most} parameters"),
    N_("must be the nextCursor of an earlier page, unchanged"),
    N_("The body is larger than {most} bytes."),
    N_("must be a whole number"),
    N_("must be a number"),
    N_("is missing"),
    N_("takes a text of 1 to {most} characters"),
    N_("takes letters, digits and -._~ only, a letter or digit first"),
    N_("takes an https:// URL (http:// for a loopback host only)"),
    N_("refused: {host} is {kind}; delivery.allowed_networks could allow it"),
    N_("takes terminal, all (in each session's order) or none (for notices only)"),
    N_("the chart's states are {names}"),
    N_("the chart's final states are {names}"),
    N_("takes final states of the chart; with transitions = all, any"),
    N_("takes texts of 1 to {most} characters"),
    N_("takes flowIds"),
    N_("takes one or more of {names}"),
    N_("takes attempts at once, 1 to {most}"),
    N_("takes attempts a second of one node, above 0 to {most}"),
    N_("{most} secrets sign already: wait for one to end, or give 0 to end them all"),
    N_("The name {name} is taken by another subscriber."),
    N_("The endpoint {name} has just been deleted, and its name is not free yet: try again in some seconds."),
    N_("{name} stands in the settings: change it there, and start the service anew."),
    N_("No encryption key is configured: set encryption_keys to one that `statekeeper endpoints new-key` prints."),
    N_("What is sealed of {name} opens with none of encryption_keys: restore its key, or delete it."),
    N_("There are {number} endpoints in the store, which is all that can be; delete one first."),
    N_("is missing or not an object"),
    N_("must be a text of 1 to {most} characters, without NUL or unpaired surrogates"),
    N_("must be an integer from 1 to {most}, or a string of its digits"),
    N_("must be a UUID in its canonical form"),
)
KINDS: Final = (
    N_("a cloud's metadata"),
    N_("unspecified"),
    N_("loopback"),
    N_("private"),
    N_("shared by a carrier"),
    N_("link-local"),
    N_("multicast"),
    N_("reserved"),
)
"""What an address is that no callback may go to."""

_DEMAND: Final = "; takes "
"""What a setting takes is said behind what its rule says."""


def recognise(text: str) -> Sentence | None:
    """The phrase that a text is, with its values; None if it is none."""
    for phrase, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return Sentence(phrase, found.groupdict())
    return None


def tell(text: str, translate: Callable[[str], str]) -> Markup:
    """A text from below in a language, escaped; one that is no phrase may still be one of the catalogue."""
    said, demand, takes = text.partition(_DEMAND)
    if demand and recognise(said):
        return Markup("{}; {}").format(tell(said, translate), tell(f"takes {takes}", translate))
    if sentence := recognise(text):
        return _say(sentence, translate)
    return escape(translate(text) if text else "")


def _say(sentence: Sentence, translate: Callable[[str], str]) -> Markup:
    values = {name: translate(str(value)) if name == "kind" else value for name, value in sentence.values.items()}
    return escape(Sentence(sentence.text, values).said(plain, translate))


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(phrase, re.compile(_pattern(phrase), re.DOTALL)) for phrase in PHRASES]


def _pattern(phrase: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(phrase))
