"""The console's languages: a gettext catalogue for each but English, which is what stands in the code.

Catalogues are kept as `.po`, for people, and compiled when they are first asked for, so that nothing is built at
install. A text without a translation is shown in English; a test sees to it that there is none.
"""

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
_DOMAIN: Final = "console"


def negotiate(chosen: str | None, accepted: str) -> str:
    """The language to speak: the one chosen, or the first there is of those a browser accepts (RFC 9110, 12.5.4)."""
    if chosen in LANGUAGES:
        return str(chosen)
    return negotiate_locale(_by_preference(accepted), list(LANGUAGES), sep="-") or "en"


def _by_preference(accepted: str) -> list[str]:
    ranked = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        if tag and (weight := _weight(quality)):
            ranked.append((weight, tag))
    return [tag for _, tag in sorted(ranked, key=lambda each: -each[0])]


def _weight(quality: str) -> float:
    try:
        return min(float(quality), 1.0) if quality else 1.0
    except ValueError:
        return 0.0


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; English needs none."""
    if language == "en":
        return NullTranslations()
    source = files("statekeeper.console") / "locales" / language / "LC_MESSAGES" / f"{_DOMAIN}.po"
    compiled = BytesIO()
    with source.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language))
    compiled.seek(0)
    return Translations(compiled, domain=_DOMAIN)
