"""A sentence that can be said in any language: an English text, and the values of its `{names}`.

The text is what translators translate (gettext), so that it stands in the code in full, marked by `N_`; the values are
put in last, as whoever says it likes: plain, or as elements of a page. A value is never a part of the text, and so
never taken for one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Final

from statekeeper.core.instants import rfc3339

Value = str | int | datetime | tuple[int, ...] | tuple[str, ...]
_PARTS: Final = Formatter().parse


def N_(text: str) -> str:  # noqa: N802 -- gettext's own name for a text that is translated later
    """Mark a text for translation, and leave it as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said; `text` names each of its values in braces."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def said(self, show: Callable[[Value], str], translate: Callable[[str], str] = str) -> str:
        """The sentence in a language, each value as it is to be shown; `show` is also what escapes."""
        return "".join(
            literal + (show(self.values[name]) if name is not None else "")
            for literal, name, _, _ in _PARTS(translate(self.text))
        )

    def __str__(self) -> str:
        return self.said(plain)


def plain(value: Value) -> str:
    """A value as text: times as RFC 3339, lists with commas."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
