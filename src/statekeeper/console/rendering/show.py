"""How values look on a page: times as elements that a script turns into the viewer's zone, sentences with them inside.

Whatever comes from outside goes through `escape`, here as in the templates; nothing here marks a text as safe that it
did not make itself.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from statekeeper.core.instants import parse_rfc3339, rfc3339
from statekeeper.explanation.case import Case
from statekeeper.explanation.drawing import draw, svg
from statekeeper.explanation.numbers import spans
from statekeeper.explanation.sentences import Sentence, Value, plain

_TIME: Final = Markup('<time datetime="{}"{}>{}</time>')
_RELATIVE: Final = Markup(" data-relative")
_WRITTEN: Final = {"en": "d MMM y, HH:mm:ss", "de": "dd.MM.y, HH:mm:ss"}
_FINE: Final = "#,##0.#"
_COARSE: Final = "#,##0"
_SHORT: Final = 0.1
_CODE: Final = Markup("<b>{}</b>")


def show_time(at: datetime | str, language: str, *, relative: bool = False) -> Markup:
    """A time, in UTC until a script knows better, or says how long ago; the exact one is in its `datetime`."""
    instant = parse_rfc3339(at) if isinstance(at, str) else at
    text = format_datetime(instant, _WRITTEN[language], locale=language)
    return _TIME.format(rfc3339(instant), _RELATIVE if relative else "", f"{text} UTC")


def show_ago(at: datetime, now: datetime, language: str) -> Markup:
    """How long ago, or how soon: said as of now, and kept right by a script."""
    text = format_timedelta(at - now, add_direction=True, threshold=1, locale=language)
    return _TIME.format(rfc3339(at), _RELATIVE, text)


def show_drawing(case: Case, translate: Callable[[str], str]) -> Markup:
    """The statechart with the path taken, as SVG."""
    return Markup(svg(draw(case), translate))  # noqa: S704 -- it escapes every text itself


def show_number(number: int, language: str) -> str:
    """A number with its thousands apart."""
    return format_decimal(number, locale=language)


def show_spans(numbers: Iterable[int]) -> str:
    """Numbers, runs of them by their ends."""
    return ", ".join(spans(numbers))


def show_milliseconds(seconds: float | None, language: str) -> str:
    """Seconds as milliseconds, short ones with a digit behind the point; a dash where there are none."""
    if seconds is None:
        return "-"
    return f"{format_decimal(seconds * 1000, _FINE if seconds < _SHORT else _COARSE, locale=language)} ms"


def show_value(value: Value, language: str) -> Markup:
    """A value within a sentence."""
    return show_time(value, language) if isinstance(value, datetime) else _CODE.format(plain(value))


def say(sentence: Sentence, language: str, translate: Callable[[str], str]) -> Markup:
    """A sentence as markup: its text, translated and escaped, with its values in their places."""
    said = sentence.said(lambda value: _mark(show_value(value, language)), lambda text: str(escape(translate(text))))
    return Markup(said)  # noqa: S704 -- the text is escaped, and so is each value


def _mark(markup: Markup) -> str:
    return str(markup)
