"""Pages: a template, what it is to show, and to whom.

Templates escape everything, a text that is translated included, whose own `_` would take whatever it is given for
markup; and they know no name that they were not given. Each language has an environment of its own,
made when it is first asked for.
"""

from functools import cache, partial
from importlib.metadata import version
from typing import Any, Final

from babel.support import NullTranslations
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup, escape

from statekeeper.console.rendering.assets import address
from statekeeper.console.rendering.phrases import tell
from statekeeper.console.rendering.show import (
    say,
    show_ago,
    show_drawing,
    show_milliseconds,
    show_number,
    show_spans,
    show_time,
)
from statekeeper.console.rendering.words import LANGUAGES, translations
from statekeeper.console.visitor import Asked, preferences, visitor_or_none

_VERSION: Final = version("statekeeper")
_MEDIA_TYPE: Final = "text/html"  # Litestar adds the charset


def page(request: Asked, template: str, *, status: int = 200, **shown: Any) -> Response[str]:  # noqa: ANN401 -- templates take anything
    """A page, or a part of one, in the visitor's language."""
    return Response(render(request, template, **shown), status_code=status, media_type=_MEDIA_TYPE)


def render(request: Asked, template: str, **shown: Any) -> str:  # noqa: ANN401 -- same
    """A template with what it is to show, as text."""
    liked = preferences(request)
    whole = {"visitor": visitor_or_none(request), "preferences": liked, **_place(request), **shown}
    return _environment(liked.language).get_template(template).render(whole)


def told(request: Asked, text: str) -> Markup:
    """What is said below the console, in the visitor's language."""
    return tell(text, translations(preferences(request).language).gettext)


def _place(request: Asked) -> dict[str, str]:
    """Where the visitor is: the path, and with what was asked of it."""
    path, query = request.url.path, request.scope["query_string"].decode("latin-1")
    return {"path": path, "here": f"{path}?{query}" if query else path}


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("statekeeper.console"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = translations(language)
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.globals |= {"asset": address, "languages": LANGUAGES, "version": _VERSION, "language": language}
    environment.globals["_"] = partial(_translate, words)
    environment.filters |= {
        "ago": partial(show_ago, language=language),
        "drawn": partial(show_drawing, translate=words.gettext),
        "milliseconds": partial(show_milliseconds, language=language),
        "number": partial(show_number, language=language),
        "time": partial(show_time, language=language),
        "spans": show_spans,
        "say": partial(say, language=language, translate=words.gettext),
        "told": partial(tell, translate=words.gettext),
    }
    return environment


def _translate(words: NullTranslations, text: str, **values: object) -> str:
    """A text in the language, to be escaped by the template; with the values of its `%(names)s`, which are escaped."""
    said = words.gettext(text)
    return escape(said) % values if values else said
